'use strict';
// One invocation: the context object, and the ways a handler may answer: promise, callback, context.done, a stream.

const { Writable } = require('stream');
const { named } = require('./errors.cjs');

const HIGH_WATER_MARK = Symbol.for('aws.lambda.runtime.handler.streaming.highWaterMark');
const PIECE_BYTES = 65536;
const NOTHING = Buffer.alloc(0);
const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');
const HTTP_CONTENT_TYPE = 'application/vnd.awslambda.http-integration-response';

class Invocation {
  constructor(work, answers) {
    this.id = work.id;
    this.work = work;
    this.answers = answers;
    this.waits = true; // context.callbackWaitsForEmptyEventLoop
    this.pending = null; // An answer that waits for the event loop to be empty.
    this.answered = false;
    this.streams = false;
  }

  run(handler, event) {
    const callback = (error, result) => this.callback(error, result);
    try {
      const result = handler(event, this.context(), callback);
      if (result && typeof result.then === 'function') {
        result.then((value) => this.succeed(value), (error) => this.fail(error));
      }
    } catch (error) {
      this.fail(error);
    }
  }

  // As AWS's runtime has it: the answer ends with the stream, which may be after the handler is done.
  runStreaming(handler, event) {
    const stream = new ResponseStream(handler[HIGH_WATER_MARK], this.answers.part);
    this.streams = true;
    // Ended without a write, the metadata is still to be sent, which AWS's runtime would lose.
    stream.on('finish', () => this.answer(() => this.answers.respond(stream.prelude(), stream.contentType)));
    stream.on('error', (error) => this.fail(error));
    try {
      const result = handler(event, stream, this.context());
      if (!result || typeof result.then !== 'function') {
        this.fail('Streaming does not support non-async handlers.');
        return;
      }
      result.then((value) => {
        if (value !== undefined) console.warn('Streaming handlers ignore return values.');
      }, (error) => this.fail(error));
    } catch (error) {
      this.fail(error);
    }
  }

  // Called when nothing is left to do: whoever has not answered by now never will.
  loopIsEmpty() {
    if (this.pending) this.answer(this.pending);
    else if (this.streams) this.fail(named('Runtime.NodeJsExit', 'The response stream was not ended, and nothing is left that could end it'));
    else this.succeed(null);
  }

  callback(error, result) {
    const answer = () => (error === undefined || error === null ? this.respond(result) : this.answers.fail(error));
    if (this.answered || this.pending) return;
    if (this.waits) this.pending = answer;
    else this.answer(answer);
  }

  succeed(value) { this.answer(() => this.respond(value)); }
  fail(error) { this.answer(() => this.answers.fail(error)); }

  answer(send) {
    if (this.answered) return;
    this.answered = true;
    send();
  }

  respond(value) {
    let body;
    try {
      body = JSON.stringify(value === undefined ? null : value);
      if (body === undefined) body = 'null';
    } catch (error) {
      this.answers.fail(named('Runtime.MarshalError', `Unable to stringify response body: ${error.message}`));
      return;
    }
    this.answers.respond(body, 'application/json');
  }

  context() {
    const invocation = this;
    const { id, deadline, arn, clientContext, identity } = this.work;
    const environment = process.env;
    return {
      get callbackWaitsForEmptyEventLoop() { return invocation.waits; },
      set callbackWaitsForEmptyEventLoop(value) { invocation.waits = value; },
      succeed(result) { invocation.succeed(result); },
      fail(error) { invocation.fail(error === undefined || error === null ? 'handled' : error); },
      done(error, result) {
        if (error === undefined || error === null) invocation.succeed(result);
        else invocation.fail(error);
      },
      functionVersion: environment.AWS_LAMBDA_FUNCTION_VERSION,
      functionName: environment.AWS_LAMBDA_FUNCTION_NAME,
      memoryLimitInMB: environment.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
      logGroupName: environment.AWS_LAMBDA_LOG_GROUP_NAME,
      logStreamName: environment.AWS_LAMBDA_LOG_STREAM_NAME,
      clientContext: clientContext ? JSON.parse(clientContext) : undefined,
      identity: identity ? JSON.parse(identity) : undefined,
      invokedFunctionArn: arn,
      awsRequestId: id,
      getRemainingTimeInMillis() { return Math.max(0, deadline - Date.now()); },
    };
  }
}

class ResponseStream extends Writable {
  constructor(highWaterMark, send) {
    super({ decodeStrings: true, ...(highWaterMark > 0 ? { highWaterMark } : {}) });
    this.contentType = 'application/octet-stream';
    this.send = send;
    this.begun = false;
  }

  setContentType(type) {
    if (this.begun) throw named('InvalidStreamingOperation', 'Cannot set content-type, too late.');
    this.contentType = type;
  }

  write(chunk, ...more) {
    const isPlain = typeof chunk === 'string' || chunk instanceof Uint8Array;
    return super.write(isPlain ? chunk : JSON.stringify(chunk), ...more);
  }

  _write(chunk, encoding, done) {
    const head = this.prelude();
    this.sendAll(head.length ? Buffer.concat([head, chunk]) : chunk, done);
  }

  // In pieces, each when the one before it is gone: whoever reads slowly holds the function up.
  sendAll(data, done) {
    if (!data.length) done();
    else if (data.length <= PIECE_BYTES) this.send(data, this.contentType, done);
    else this.send(data.subarray(0, PIECE_BYTES), this.contentType, () => this.sendAll(data.subarray(PIECE_BYTES), done));
  }

  // What HttpResponseStream.from puts before the first write.
  prelude() {
    if (this.begun) return NOTHING;
    this.begun = true;
    const parts = [];
    if (typeof this._onBeforeFirstWrite === 'function') this._onBeforeFirstWrite((part) => parts.push(Buffer.from(part)));
    return Buffer.concat(parts);
  }
}

// The globals of AWS's "Response streaming for Lambda functions".
function installStreaming() {
  globalThis.awslambda = {
    ...(globalThis.awslambda || {}),
    streamifyResponse(handler, options) {
      handler[STREAMING] = 'response';
      if (options && options.highWaterMark) handler[HIGH_WATER_MARK] = parseInt(options.highWaterMark, 10);
      return handler;
    },
    HttpResponseStream: {
      from(stream, prelude) {
        stream.setContentType(HTTP_CONTENT_TYPE);
        const head = JSON.stringify(prelude);
        stream._onBeforeFirstWrite = (write) => { write(head); write(new Uint8Array(8)); };
        return stream;
      },
    },
  };
}

module.exports = { Invocation, STREAMING, installStreaming };
