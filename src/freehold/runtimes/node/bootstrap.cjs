'use strict';
// What runs inside a Node environment: Lambda's contract for CommonJS, ES modules, async and callback handlers, over
// frames on descriptor 3 (their format: engine/frames.py) or, when the first frame says so, over the HTTP Runtime API.
// AWS: "Define Lambda function handler in Node.js", "Lambda context object in Node.js", "Node.js errors".

const net = require('net');
const { load } = require('./loader.cjs');
const { Invocation, STREAMING, installStreaming } = require('./invocation.cjs');
const { installConsole, setRequestId } = require('./console.cjs');
const { installEndpoint } = require('./endpoint.cjs');
const { describe, named } = require('./errors.cjs');

const LINK_FD = 3;
const [INIT, INVOKE, READY, RESPONSE, ERROR, INIT_ERROR, FATAL, PART] = [1, 2, 3, 4, 5, 6, 7, 8];

class FrameLink {
  constructor(onFrame) {
    this.socket = new net.Socket({ fd: LINK_FD, readable: true, writable: true });
    this.held = [];
    this.size = 0;
    this.onFrame = onFrame;
    this.socket.on('data', (data) => this.read(data));
    this.socket.on('end', () => process.exit(0)); // The engine let go of this environment.
    this.socket.on('error', () => process.exit(0));
  }

  read(data) {
    this.held.push(data);
    this.size += data.length;
    while (this.size >= 8) {
      if (this.held[0].length < 8) this.held = [Buffer.concat(this.held)];
      const head = this.held[0];
      const metaSize = head.readUInt16BE(4);
      const whole = 8 + metaSize + head.readUInt32BE(0);
      if (this.size < whole) return;
      const all = this.held.length === 1 ? head : Buffer.concat(this.held);
      this.held = all.length > whole ? [all.subarray(whole)] : [];
      this.size = all.length - whole;
      this.onFrame(all[6], all.toString('utf8', 8, 8 + metaSize), all.subarray(8 + metaSize, whole));
    }
  }

  write(kind, meta, payload, then) {
    const head = Buffer.alloc(8);
    const metaBytes = Buffer.from(meta);
    const body = typeof payload === 'string' ? Buffer.from(payload) : payload;
    head.writeUInt32BE(body.length, 0);
    head.writeUInt16BE(metaBytes.length, 4);
    head[6] = kind;
    this.socket.write(Buffer.concat([head, metaBytes, body]), then);
  }

  // An open connection must not keep the event loop from being empty while a handler runs.
  hold() { this.socket.ref(); }
  release() { this.socket.unref(); }
  ready() { this.write(READY, '', ''); }
  respond(id, payload, contentType, workedUs) { this.write(RESPONSE, `${id}\0${contentType}\0${workedUs}`, payload); }
  part(id, data, contentType, then) { this.write(PART, `${id}\0${contentType}`, data, then); }
  fail(id, type, document) { this.write(ERROR, `${id}\0${type}`, document); }
  failAndExit(id, type, document, code) {
    const exit = () => process.exit(code);
    this.hold();
    if (id) this.write(FATAL, `${id}\0${type}`, document, exit);
    else this.write(INIT_ERROR, type, document, exit);
  }
}

const now = performance.now.bind(performance);
let link = null;
let handler = null;
let running = null;

const first = new FrameLink((kind, meta, payload) => {
  if (kind === INIT) start(JSON.parse(payload.toString()));
  else if (kind === INVOKE) {
    const [id, deadline, arn, trace, clientContext, identity] = meta.split('\0');
    invoke({ id, deadline: Number(deadline), arn, trace, clientContext, identity }, payload);
  }
});

function start(message) {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, message.env);
  require('module')._initPaths();
  process.chdir(message.cwd);
  link = first;
  if (message.transport === 'http') {
    const { HttpLink } = require('./http_link.cjs');
    link = new HttpLink(process.env.AWS_LAMBDA_RUNTIME_API, invoke);
    first.release();
  }
  installConsole();
  installEndpoint();
  installStreaming();
  process.on('uncaughtException', (error) => die('Uncaught Exception', error, 129));
  process.on('unhandledRejection', (reason, promise) => {
    const error = named('Runtime.UnhandledPromiseRejection', String(reason));
    error.reason = reason;
    error.promise = promise;
    die('Unhandled Promise Rejection', error, 128);
  });
  process.on('beforeExit', () => { if (running) running.loopIsEmpty(); });
  process.argv.splice(1, process.argv.length, __filename, message.handler);
  // The module's own top level may end with an empty event loop before its promise is settled: hold on until then.
  link.hold();
  load(message).then((loaded) => {
    handler = loaded;
    link.ready();
  }, (error) => {
    console.error('Uncaught Exception', describe(error, true));
    link.failAndExit('', errorType(error), JSON.stringify(describe(error)), 1);
  });
}

function invoke(work, payload) {
  const began = now();
  setRequestId(work.id);
  if (work.trace) process.env._X_AMZN_TRACE_ID = work.trace;
  else delete process.env._X_AMZN_TRACE_ID;
  link.release();
  const invocation = new Invocation(work, {
    respond(body, contentType) {
      const workedUs = Math.round((now() - began) * 1000);
      finish(invocation, () => link.respond(work.id, body, contentType, workedUs));
    },
    part(data, contentType, then) {
      if (running === invocation) link.part(work.id, data, contentType, then);
      else then(); // It was answered already: nobody reads this.
    },
    fail(error) {
      console.error('Invoke Error', describe(error, true));
      finish(invocation, () => link.fail(work.id, errorType(error), JSON.stringify(describe(error))));
    },
  });
  running = invocation;
  let event;
  try {
    event = JSON.parse(payload.toString());
  } catch (error) {
    invocation.fail(named('Runtime.UnmarshalError', `Unable to unmarshal input: ${error.message}`));
    return;
  }
  if (handler[STREAMING]) invocation.runStreaming(handler, event);
  else invocation.run(handler, event);
}

function finish(invocation, answer) {
  if (running !== invocation) return; // The first answer counts.
  running = null;
  link.hold();
  answer();
}

function die(label, error, code) {
  console.error(label, describe(error, true));
  const id = running ? running.id : '';
  running = null;
  if (!id && handler) process.exit(code);
  link.failAndExit(id, errorType(error), JSON.stringify(describe(error)), code);
}

function errorType(error) {
  return describe(error).errorType;
}
