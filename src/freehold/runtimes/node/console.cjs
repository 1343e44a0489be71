'use strict';
// console.* with Lambda's prefix: time, request id, level, message. Each call is one log event, whatever lines it has.
// AWS: "Log and monitor Node.js Lambda functions", "Lambda function JSON log format".

const fs = require('fs');
const util = require('util');
const { isError } = require('./errors.cjs');

const LEVELS = { TRACE: 1, DEBUG: 2, INFO: 3, WARN: 4, ERROR: 5, FATAL: 6 };
const METHODS = { trace: 'TRACE', debug: 'DEBUG', log: 'INFO', info: 'INFO', warn: 'WARN', error: 'ERROR', fatal: 'FATAL' };
let requestId;

function setRequestId(id) {
  requestId = id;
}

function installConsole() {
  const fd = Number(process.env._LAMBDA_TELEMETRY_LOG_FD);
  delete process.env._LAMBDA_TELEMETRY_LOG_FD;
  const json = (process.env.AWS_LAMBDA_LOG_FORMAT || '').toUpperCase() === 'JSON';
  const least = json ? LEVELS[(process.env.AWS_LAMBDA_LOG_LEVEL || 'INFO').toUpperCase()] || 0 : 0;
  for (const [method, level] of Object.entries(METHODS)) {
    if (LEVELS[level] < least) console[method] = () => {};
    else console[method] = (...values) => write(fd, level, json ? jsonLine(level, values) : textLine(level, values));
  }
}

function textLine(level, values) {
  const shown = values.map((value) => (value && value.errorType && value.stack ? `\t${JSON.stringify(value)}` : value));
  return `${new Date().toISOString()}\t${requestId}\t${level}\t${util.format(...shown)}`;
}

function jsonLine(level, values) {
  const line = { timestamp: new Date().toISOString(), level, requestId };
  if (values.length === 1 && values[0] && typeof values[0] === 'object' && !isError(values[0])) {
    line.message = values[0];
  } else {
    line.message = util.format(...values);
    const error = values.find(isError);
    if (error) {
      line.errorType = error.name;
      line.errorMessage = error.message;
      line.stackTrace = String(error.stack).split('\n').slice(1);
    }
  }
  try {
    return JSON.stringify(line);
  } catch (_) {
    return JSON.stringify({ ...line, message: util.inspect(line.message) });
  }
}

function write(fd, level, text) {
  const body = Buffer.from(`${text}\n`);
  const head = Buffer.alloc(16);
  head.writeUInt32BE((0xa55a0003 | (LEVELS[level] << 2)) >>> 0, 0);
  head.writeUInt32BE(body.length, 4);
  head.writeBigInt64BE(BigInt(Date.now()) * 1000n, 8);
  let data = Buffer.concat([head, body]);
  while (data.length) {
    try {
      data = data.subarray(fs.writeSync(fd, data));
    } catch (error) {
      if (error.code !== 'EAGAIN') return;
    }
  }
}

module.exports = { installConsole, setRequestId };
