// The search of the built site, without a browser: `node search.cjs SITE WORDS...` prints the best page for each query.
const fs = require("fs"), path = require("path"), vm = require("vm");

const [site, ...queries] = process.argv.slice(2);
const workers = path.join(site, "assets/javascripts/workers");
const program = fs.readdirSync(workers).find(name => /^search\..*\.js$/.test(name));
const index = JSON.parse(fs.readFileSync(path.join(site, "search/search_index.json"), "utf8"));

let listener;
const waiting = [];
const worker = {
  console: { warn() {}, log() {} },
  addEventListener: (_, given) => { listener = given; },
  postMessage: message => waiting.shift()(message),
};
worker.self = worker;
vm.runInContext(fs.readFileSync(path.join(workers, program), "utf8"), vm.createContext(worker));
const ask = (type, data) => new Promise(resolve => { waiting.push(resolve); listener({ data: { type, data } }); });

(async () => {
  await ask(0, { ...index, options: { suggest: false } });
  for (const query of queries) {
    const { data } = await ask(2, query);
    console.log(data.items.length ? data.items[0][0].location : "");
  }
})();
