'use strict';
// The link over the documented Runtime API: http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/...

const http = require('http');

class HttpLink {
  constructor(address, onWork) {
    const [host, port] = address.split(':');
    this.options = { host, port, agent: new http.Agent({ keepAlive: true, maxSockets: 1 }) };
    this.request_ = http.request;
    this.onWork = onWork;
    this.upload = null; // A streamed answer on its way.
  }

  hold() {}
  release() {}

  ready() { this.next(); }

  next() {
    this.call('GET', 'invocation/next', null, {}, (answer, body) => {
      const headers = answer.headers;
      const work = {
        id: headers['lambda-runtime-aws-request-id'],
        deadline: Number(headers['lambda-runtime-deadline-ms']),
        arn: headers['lambda-runtime-invoked-function-arn'],
        trace: headers['lambda-runtime-trace-id'],
        clientContext: headers['lambda-runtime-client-context'],
        identity: headers['lambda-runtime-cognito-identity'],
      };
      this.onWork(work, body);
    });
  }

  // The first part begins a chunked upload, which `respond` or `fail` ends.
  part(id, data, contentType, then) {
    if (!this.upload) {
      this.upload = this.begin('POST', `invocation/${id}/response`, {
        'Content-Type': contentType,
        'Lambda-Runtime-Function-Response-Mode': 'streaming',
        Trailer: 'Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body',
      }, () => this.uploaded());
    }
    this.upload.write(data, then);
  }

  uploaded() { this.next(); }

  endUpload(payload, trailers) {
    const upload = this.upload;
    this.upload = null;
    upload.addTrailers(trailers);
    upload.end(payload);
  }

  respond(id, payload, contentType) {
    if (this.upload) this.endUpload(payload, {});
    else this.call('POST', `invocation/${id}/response`, payload, { 'Content-Type': contentType }, () => this.next());
  }

  fail(id, type, document) {
    if (this.upload) this.failUpload(type, document);
    else this.call('POST', `invocation/${id}/error`, document, errorHeaders(type), () => this.next());
  }

  failUpload(type, document) {
    const body = Buffer.from(document).toString('base64');
    this.endUpload('', { 'Lambda-Runtime-Function-Error-Type': type, 'Lambda-Runtime-Function-Error-Body': body });
  }

  failAndExit(id, type, document, code) {
    if (this.upload) {
      this.uploaded = () => process.exit(code);
      this.failUpload(type, document);
      return;
    }
    const path = id ? `invocation/${id}/error` : 'init/error';
    this.call('POST', path, document, errorHeaders(type), () => process.exit(code));
  }

  call(method, path, body, headers, then) {
    this.begin(method, path, headers, then).end(body);
  }

  begin(method, path, headers, then) {
    const sent = this.request_.call(http, { ...this.options, method, path: `/2018-06-01/runtime/${path}`, headers }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('end', () => then(answer, Buffer.concat(parts)));
    });
    sent.on('error', () => process.exit(1));
    return sent;
  }
}

function errorHeaders(type) {
  return { 'Content-Type': 'application/json', 'Lambda-Runtime-Function-Error-Type': type };
}

module.exports = { HttpLink };
