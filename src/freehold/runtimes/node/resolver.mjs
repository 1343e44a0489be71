// Lets `import` find what `require` finds by NODE_PATH: layers and the runtime's SDKs, after the package's own.

import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

let places = [];

export function initialize(paths) {
  places = paths;
}

export async function resolve(specifier, context, next) {
  try {
    return await next(specifier, context);
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND' || /^(\.|\/|[a-z]+:)/.test(specifier)) throw error;
    for (const place of places) {
      try {
        // As if the importing file lay beside that node_modules, so that "exports" and "import" conditions count.
        return await next(specifier, { ...context, parentURL: pathToFileURL(path.join(place, '..', 'x.mjs')).href });
      } catch (_) {
        try {
          return { url: pathToFileURL(createRequire(path.join(place, 'x.js')).resolve(path.join(place, specifier))).href, shortCircuit: true };
        } catch (_) {
          continue;
        }
      }
    }
    throw error;
  }
}
