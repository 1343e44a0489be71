'use strict';
// Leads the AWS SDKs to AWS_ENDPOINT_URL. v3 reads that variable itself; v2 is told when its core is loaded; whatever
// is bundled out of sight or too old is recognised by its request: to amazonaws.com, signed with this function's key.

const http = require('http');
const https = require('https');
const Module = require('module');

function installEndpoint() {
  const endpoint = process.env.AWS_ENDPOINT_URL;
  if (!endpoint) return;
  tellVersion2(endpoint);
  const to = new URL(endpoint);
  for (const module_ of [http, https]) {
    const request = module_.request;
    module_.request = function (...values) {
      const redirected = redirect(values, to);
      return redirected ? http.request(...redirected) : request.apply(this, values);
    };
    module_.get = function (...values) {
      const made = module_.request(...values);
      made.end();
      return made;
    };
  }
  Module.syncBuiltinESMExports();
}

function tellVersion2(endpoint) {
  const loadJs = Module._extensions['.js'];
  Module._extensions['.js'] = function (module_, filename) {
    loadJs(module_, filename);
    if (/[\\/]aws-sdk[\\/]lib[\\/]core\.js$/.test(filename)) {
      const AWS = module_.exports;
      if (AWS.Config && AWS.Config.prototype.keys) {
        Object.assign(AWS.Config.prototype.keys, { endpoint, s3ForcePathStyle: true });
      }
    }
  };
}

// The arguments for http.request at our endpoint; null: not an SDK's request to AWS.
function redirect(values, to) {
  let [options, ...rest] = values;
  if (typeof options === 'string' || options instanceof URL) {
    const url = new URL(options);
    const more = rest[0] && typeof rest[0] === 'object' ? rest.shift() : {};
    options = { protocol: url.protocol, hostname: url.hostname, port: url.port, path: url.pathname + url.search, ...more };
  }
  const host = String((options && (options.hostname || options.host)) || '').split(':')[0];
  if (!/\.amazonaws\.com(\.cn)?$/.test(host) || !isOurs(options)) return null;
  const { agent, protocol, hostname, servername, ...kept } = options;
  return [{ ...kept, protocol: to.protocol, host: to.hostname, port: to.port, headers: withHost(options.headers, host) }, ...rest];
}

function isOurs(options) {
  const key = process.env.AWS_ACCESS_KEY_ID;
  const headers = options.headers || {};
  const named = Object.keys(headers).find((name) => name.toLowerCase() === 'authorization');
  const signed = `${named ? headers[named] : ''} ${decodeURIComponent(options.path || '')}`;
  return signed.includes(`Credential=${key}/`);
}

// The host it was meant for tells which service, and of S3 which bucket.
function withHost(headers, host) {
  const kept = { ...headers };
  for (const name of Object.keys(kept)) if (name.toLowerCase() === 'host') delete kept[name];
  return { ...kept, Host: host };
}

module.exports = { installEndpoint };
