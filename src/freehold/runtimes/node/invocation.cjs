'use strict';
// One invocation: the context object, and the ways a handler may answer: promise, callback, context.done, a stream.

const { Writable } = require('stream');
const { named } = require('./errors.cjs');

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

  runStreaming(handler, event) {
    const stream = new ResponseStream();
    stream.on('finish', () => this.answer(() => this.answers.respond(stream.payload(), stream.contentType)));
    stream.on('error', (error) => this.fail(error));
    Promise.resolve()
      .then(() => handler(event, stream, this.context()))
      .then(() => {
        if (!stream.writableEnded && !stream.used) stream.end();
      }, (error) => this.fail(error));
  }

  // Called when nothing is left to do: whoever has not answered by now never will.
  loopIsEmpty() {
    if (this.pending) this.answer(this.pending);
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
  constructor() {
    super({ decodeStrings: true });
    this.parts = [];
    this.contentType = 'application/octet-stream';
    this.used = false;
  }

  setContentType(type) { this.contentType = type; }

  _write(chunk, encoding, done) {
    this.used = true;
    this.parts.push(chunk);
    done();
  }

  payload() { return Buffer.concat(this.parts); }
}

// The globals of AWS's "Response streaming for Lambda functions".
function installStreaming() {
  globalThis.awslambda = {
    ...(globalThis.awslambda || {}),
    streamifyResponse(handler) {
      handler[STREAMING] = 'response';
      return handler;
    },
    HttpResponseStream: {
      from(stream, prelude) {
        stream.setContentType(HTTP_CONTENT_TYPE);
        stream.write(JSON.stringify(prelude));
        stream.write(Buffer.alloc(8));
        return stream;
      },
    },
  };
}

module.exports = { Invocation, STREAMING, installStreaming };
