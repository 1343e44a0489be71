'use strict';
// Errors as Lambda's Node runtime tells them: {errorType, errorMessage, trace} to the caller, with more in the log.

const util = require('util');

function named(name, message) {
  const error = new Error(message);
  error.name = name;
  error.stack = `${name}: ${message}${error.stack.slice(error.stack.indexOf('\n'))}`;
  return error;
}

function isError(value) {
  return value && (util.types.isNativeError(value) || (value.name && value.message && value.stack));
}

// `full`: for the log, with the error's own further members and its stack under "stack".
function describe(error, full = false) {
  try {
    if (!isError(error)) {
      const shown = { errorType: typeof error, errorMessage: error === undefined ? 'undefined' : String(error) };
      return full ? { ...shown, stack: [] } : { ...shown, trace: [] };
    }
    const shown = { errorType: clean(error.name), errorMessage: clean(error.message) };
    const stack = clean(error.stack || '').split('\n');
    return full ? { ...shown, ...error, name: undefined, stack } : { ...shown, trace: stack };
  } catch (_) {
    return { errorType: 'handled', errorMessage: 'callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack' };
  }
}

function clean(text) {
  return String(text).replace(/\x7F/g, '%7F');
}

module.exports = { describe, named, isError };
