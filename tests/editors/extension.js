// Activates and deactivates the VS Code extension with stand-ins for what the editor provides, and
// prints what it did. Usage: node extension.js FOLDER COMMAND
"use strict";

const Module = require("node:module");
const path = require("node:path");

const [folder, command] = process.argv.slice(2);
const done = { commands: [], watched: [], errors: [] };
const vscode = {
  commands: { registerCommand: (name) => done.commands.push(name) },
  window: { showErrorMessage: (text) => done.errors.push(text) },
  workspace: {
    getConfiguration: () => ({ get: () => command }),
    workspaceFolders: [{ uri: { fsPath: "FOLDER" } }],
    createFileSystemWatcher: (pattern) => done.watched.push(pattern),
    onDidChangeConfiguration: () => ({}),
  },
};

class LanguageClient {
  constructor(id, name, server, options) {
    Object.assign(done, { id, server, selector: options.documentSelector });
  }
  async start() {
    if (done.server.command === "missing") throw new Error("no such file");
    done.started = true;
  }
  isRunning() {
    return done.started === true;
  }
  async stop() {
    done.stopped = true;
  }
}

const fakes = { vscode, "vscode-languageclient/node": { LanguageClient } };
const load = Module._load;
Module._load = (name, ...rest) => fakes[name] ?? load(name, ...rest);

async function main() {
  const extension = require(path.resolve(folder));
  await extension.activate({ subscriptions: [] });
  await extension.deactivate();
  process.stdout.write(JSON.stringify(done));
}

main();
