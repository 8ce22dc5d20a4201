// One section of the benchmarks in a process of its own, so that none measures what another one has left: run.mjs starts it.
const [name = '', short] = process.argv.slice(2);
const { measure } = await import(new URL(`./sections/${name}.mjs`, import.meta.url).href);
const results = await measure({ short: short === 'short' });
process.send?.(results, () => process.disconnect());
