// The search of the built site, without a browser: `node search.cjs SITE WORDS...` prints the six best places for each query.
const fs = require("fs"), path = require("path"), vm = require("vm");

const [site, ...queries] = process.argv.slice(2);
const workers = path.join(site, "assets/javascripts/workers");
const program = fs.readdirSync(workers).find(name => /^search\..*\.js$/.test(name));
const index = JSON.parse(fs.readFileSync(path.join(site, "search.json"), "utf8"));

const waiting = [];
const worker = { postMessage: message => waiting.shift()(message) };
worker.self = worker;
vm.runInContext(fs.readFileSync(path.join(workers, program), "utf8"), vm.createContext(worker));
const ask = (type, data) => new Promise(resolve => { waiting.push(resolve); worker.onmessage({ data: { type, data } }); });

(async () => {
  await ask(0, index);
  for (const query of queries) {
    const { data } = await ask(2, { input: query });
    console.log(data.items.slice(0, 6).map(({ id }) => index.items[id].location).join(" "));
  }
})();
