'use strict';
// Finds the handler: "src/a/b.handler" is the export `handler` of src/a/b.js, .mjs or .cjs below the task's root.
// AWS: "Define Lambda function handler in Node.js"; error types and words as Lambda's Node runtime's.

const fs = require('fs');
const Module = require('module');
const path = require('path');
const { pathToFileURL } = require('url');
const { named } = require('./errors.cjs');

async function load(message) {
  const { dir, file, names } = split(message.handler);
  const module_ = await loadModule(message, dir, file);
  let found = module_;
  for (const name of names) found = found && found[name];
  if (found === undefined && module_.default && typeof module_.default === 'object') {
    // A bundler's interop: the exports of a CommonJS file under `default`.
    found = module_.default;
    for (const name of names) found = found && found[name];
  }
  if (found === undefined || found === null) {
    throw named('Runtime.HandlerNotFound', `${message.handler} is undefined or not exported`);
  }
  if (typeof found !== 'function') throw named('Runtime.HandlerNotFound', `${message.handler} is not a function`);
  // The interpreter decides: an older one that stands in for Node 24 runs callbacks as it always did.
  if (found.length >= 3 && Number(process.versions.node.split('.')[0]) >= 24) {
    throw named(
      'Runtime.CallbackHandlerDeprecated',
      'AWS Lambda has removed support for callback-based function handlers starting with Node.js 24. ' +
        'You need to modify this function to use a supported handler signature to use Node.js 24 or later.',
    );
  }
  return found;
}

function split(handler) {
  const base = path.basename(handler);
  const match = /^([^.]*)\.(.+)$/.exec(base);
  if (!match || handler.includes('..')) throw named('Runtime.MalformedHandlerName', 'Bad handler');
  return { dir: handler.slice(0, handler.length - base.length), file: match[1], names: match[2].split('.') };
}

async function loadModule(message, dir, file) {
  const place = path.resolve(message.task_dir, dir, file);
  try {
    const found = ['', '.js', '.mjs', '.cjs'].map((end) => place + end).find(isFile);
    if (found === undefined) {
      return Module.createRequire(path.join(message.task_dir, 'x.js'))(path.join(dir, file) || file);
    }
    if (isEsModule(found, message.task_dir)) {
      fallBackToSdk(message);
      return await import(pathToFileURL(found).href);
    }
    return Module.createRequire(found)(found);
  } catch (error) {
    if (error instanceof SyntaxError) throw asRuntimeError('Runtime.UserCodeSyntaxError', error);
    if (error && (error.code === 'MODULE_NOT_FOUND' || error.code === 'ERR_MODULE_NOT_FOUND')) {
      throw asRuntimeError('Runtime.ImportModuleError', error);
    }
    throw error;
  }
}

function asRuntimeError(name, error) {
  const told = named(name, String(error));
  told.stack = `${name}: ${error.stack}`;
  return told;
}

function isFile(name) {
  try {
    return fs.statSync(name).isFile();
  } catch (_) {
    return false;
  }
}

function isEsModule(file, root) {
  if (file.endsWith('.mjs')) return true;
  if (file.endsWith('.cjs')) return false;
  for (let directory = path.dirname(file); ; directory = path.dirname(directory)) {
    const manifest = path.join(directory, 'package.json');
    if (isFile(manifest)) {
      try {
        return JSON.parse(fs.readFileSync(manifest, 'utf8')).type === 'module';
      } catch (_) {
        return false;
      }
    }
    if (directory === root || directory === path.dirname(directory)) return false;
  }
}

// ES modules do not look at NODE_PATH. Unpacked code has the SDKs in a parent folder; code run in place has not.
function fallBackToSdk(message) {
  const paths = (process.env.NODE_PATH || '').split(path.delimiter).filter((entry) => entry && fs.existsSync(entry));
  const beside = path.join(path.dirname(message.task_dir), 'node_modules');
  const missing = paths.filter((entry) => entry !== message.task_dir && !(isSame(entry, beside)));
  if (missing.length && Module.register) {
    Module.register(pathToFileURL(path.join(__dirname, 'resolver.mjs')).href, { data: missing });
  }
}

function isSame(one, other) {
  try {
    return fs.realpathSync(one) === fs.realpathSync(other);
  } catch (_) {
    return false;
  }
}

module.exports = { load };
