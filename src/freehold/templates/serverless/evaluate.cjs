// Runs inside of node, started by node.py: loads one file, follows its export along the given keys, calls functions on
// the way, and writes the answer as one line of JSON that begins with a NUL character (the file may print what it likes).
'use strict';

const fs = require('fs');
const Module = require('module');
const path = require('path');
const readline = require('readline');
const { pathToFileURL } = require('url');

const waiting = new Map();
const lines = readline.createInterface({ input: process.stdin });
let last = 0;

const say = (message) => fs.writeSync(1, `\n\0${JSON.stringify(message)}\n`);

const ask = (question) =>
  new Promise((resolve) => {
    last += 1;
    waiting.set(last, resolve);
    say({ ...question, id: last });
  });

lines.on('line', (line) => {
  const message = JSON.parse(line);
  if (message.file) {
    answer(message).then(
      (value) => {
        say({ value: value === undefined ? null : value });
        process.exit(0);
      },
      (error) => {
        say({ error: error && error.message ? error.message : String(error) });
        process.exit(0);
      }
    );
  } else {
    waiting.get(message.id)(message.value);
    waiting.delete(message.id);
  }
});

async function answer({ file, keys, options }) {
  learnTypeScript(path.dirname(file));
  const context = {
    options,
    resolveVariable: (text) => ask({ ask: 'variable', text }),
    resolveConfigurationProperty: (keyPath) => ask({ ask: 'property', path: keyPath }),
  };
  let value = await load(file);
  let called = false;
  const settle = async () => {
    if (typeof value === 'function' && !called) {
      called = true;
      value = value(context);
    }
    value = await value;
  };
  await settle();
  for (const key of keys) {
    if (value == null || !Object.prototype.hasOwnProperty.call(Object(value), key)) return null;
    value = value[key];
    await settle();
  }
  return value;
}

async function load(file) {
  if (file.endsWith('.mjs') || file.endsWith('.mts')) return (await import(pathToFileURL(file).href)).default;
  try {
    const exported = require(file);
    return exported && exported.__esModule && 'default' in exported ? exported.default : exported;
  } catch (error) {
    if (error.code !== 'ERR_REQUIRE_ESM') throw error;
    return (await import(pathToFileURL(file).href)).default;
  }
}

// TypeScript: by the first of these that the app or this machine has: esbuild, typescript, node's own type stripping.
function learnTypeScript(directory) {
  const compile = (code, file) => {
    const found = (name) => {
      try {
        return require(require.resolve(name, { paths: [directory, ...(process.env.FREEHOLD_NODE_PATH || '').split(':')] }));
      } catch {
        return null;
      }
    };
    const esbuild = found('esbuild');
    if (esbuild) return esbuild.transformSync(code, { loader: 'ts', format: 'cjs', sourcefile: file }).code;
    const typescript = found('typescript');
    if (typescript) {
      const wanted = { module: typescript.ModuleKind.CommonJS, target: 'es2021', esModuleInterop: true };
      return typescript.transpileModule(code, { compilerOptions: wanted, fileName: file }).outputText;
    }
    if (Module.stripTypeScriptTypes) return Module.stripTypeScriptTypes(code);
    throw new Error(`${path.basename(file)} is TypeScript: install esbuild or typescript in the app (npm install -D esbuild)`);
  };
  for (const extension of ['.ts', '.cts']) {
    Module._extensions[extension] = (module, file) => module._compile(compile(fs.readFileSync(file, 'utf8'), file), file);
  }
  const aliases = pathAliases(directory);
  if (!aliases.length) return;
  const resolve = Module._resolveFilename;
  Module._resolveFilename = function (request, ...rest) {
    for (const [prefix, targets] of aliases) {
      if (!request.startsWith(prefix)) continue;
      for (const target of targets) {
        try {
          return resolve.call(this, target + request.slice(prefix.length), ...rest);
        } catch {
          // The next target may have it.
        }
      }
    }
    return resolve.call(this, request, ...rest);
  };
}

function pathAliases(directory) {
  const aliases = [];
  let file = path.join(directory, 'tsconfig.json');
  while (fs.existsSync(file)) {
    const text = fs.readFileSync(file, 'utf8').replace(/^\s*\/\/.*$/gm, '').replace(/,(\s*[}\]])/g, '$1');
    let config;
    try {
      config = JSON.parse(text);
    } catch {
      break;
    }
    const { baseUrl = '.', paths = {} } = config.compilerOptions || {};
    const base = path.resolve(path.dirname(file), baseUrl);
    for (const [pattern, targets] of Object.entries(paths)) {
      aliases.push([pattern.replace(/\*$/, ''), targets.map((target) => path.join(base, target.replace(/\*$/, '')))]);
    }
    if (typeof config.extends !== 'string' || !config.extends.startsWith('.')) break;
    file = path.resolve(path.dirname(file), config.extends.endsWith('.json') ? config.extends : `${config.extends}.json`);
  }
  return aliases.sort((a, b) => b[0].length - a[0].length);
}
