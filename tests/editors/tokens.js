// Texts to tokens with their scopes, by the engine that VS Code uses.
// Usage: node tokens.js GRAMMAR < [TEXT, …] > [[[START, END, [SCOPE, …]], …], …], in UTF-16 units.
"use strict";

const fs = require("node:fs");
const { loadWASM, OnigScanner, OnigString } = require("vscode-oniguruma");
const { INITIAL, Registry, parseRawGrammar } = require("vscode-textmate");

async function main(file) {
  const wasm = fs.readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm"));
  await loadWASM(wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength));
  const registry = new Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new OnigScanner(patterns),
      createOnigString: (text) => new OnigString(text),
    }),
    loadGrammar: async () => parseRawGrammar(fs.readFileSync(file, "utf-8"), file),
  });
  const grammar = await registry.loadGrammar("source.flow");
  const texts = JSON.parse(fs.readFileSync(0, "utf-8"));
  process.stdout.write(JSON.stringify(texts.map((text) => tokens(grammar, text))));
}

function tokens(grammar, text) {
  const found = [];
  let stack = INITIAL;
  let start = 0;
  for (const line of text.split("\n")) {
    const read = grammar.tokenizeLine(line, stack);
    for (const token of read.tokens) {
      const end = Math.min(token.endIndex, line.length);
      found.push([start + token.startIndex, start + end, token.scopes]);
    }
    stack = read.ruleStack;
    start += line.length + 1;
  }
  return found;
}

main(process.argv[2]);
