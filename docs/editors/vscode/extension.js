// Starts `orchestrate lsp` for the flows of a window and lets the editor ask it.
"use strict";

const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

/** The program of the settings; `${workspaceFolder}` is the window's first folder. */
function program() {
  const command = vscode.workspace.getConfiguration("orchestrate").get("command") || "orchestrate";
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? ".";
  return command.replaceAll("${workspaceFolder}", folder);
}

async function start() {
  const command = program();
  client = new LanguageClient(
    "orchestrate",
    "Orchestrate",
    { command, args: ["lsp"] },
    {
      documentSelector: [{ language: "flow" }],
      synchronize: { fileEvents: vscode.workspace.createFileSystemWatcher("**/*.flow") },
    },
  );
  try {
    await client.start();
  } catch (error) {
    vscode.window.showErrorMessage(
      `\`${command} lsp\` could not be started: set \`orchestrate.command\` to where it is. ${error.message}`,
    );
  }
}

async function stop() {
  const ended = client;
  client = undefined;
  // A server that never started has nothing to be told.
  if (ended?.isRunning()) await ended.stop();
}

async function restart() {
  await stop();
  await start();
}

async function activate(context) {
  context.subscriptions.push(
    vscode.commands.registerCommand("orchestrate.restart", restart),
    vscode.workspace.onDidChangeConfiguration((change) =>
      change.affectsConfiguration("orchestrate.command") ? restart() : undefined,
    ),
  );
  await start();
}

module.exports = { activate, deactivate: stop };
