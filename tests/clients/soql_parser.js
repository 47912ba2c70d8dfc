// Parses queries with Salesforce's own SOQL grammar (@salesforce/soql-common). The argument is the
// folder of the installed package; stdin has a JSON list of queries. Prints the refused ones, each
// with the reason, as JSON.
"use strict";

const { createRequire } = require("node:module");
const fs = require("node:fs");
const path = require("node:path");

const load = createRequire(path.join(process.argv[2], "package.json"));
const { SOQLParser } = load("@salesforce/soql-common/lib/soql-parser");
const parser = SOQLParser({ isApex: false, isMultiCurrencyEnabled: true, apiVersion: 60.0 });

let unreadable = ""; // the lexer reports a character that it does not know here only
console.error = (message) => {
  unreadable = String(message);
};

function reasonOf(query) {
  unreadable = "";
  const result = parser.parseQuery(query);
  return result.getSuccess() ? unreadable : result.getParserErrors()[0].getMessage();
}

const queries = JSON.parse(fs.readFileSync(0, "utf8"));
const refused = queries.map((query) => [query, reasonOf(query)]).filter((each) => each[1]);
console.log(JSON.stringify(refused));
