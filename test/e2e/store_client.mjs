// @clickhouse/client, a ClickHouse client of others, against the embedded store.
// node store_client.mjs URL; prints TAP points (the caller adds the plan).
import { createClient } from '@clickhouse/client'
import { Readable } from 'node:stream'

const url = process.argv[2]
let n = 0
function ok(good, what, more) {
  n++
  console.log(`${good ? 'ok' : 'not ok'} ${n} - client: ${what}`)
  if (!good && more !== undefined) console.log(`# ${JSON.stringify(more)}`)
}
async function fails(promise) {
  try {
    await promise
    return null
  } catch (e) {
    return e
  }
}

// What node says of a broken answer is worth little without the bytes.
process.on('uncaughtException', broken)
process.on('unhandledRejection', broken)
function broken(e) {
  console.error(e?.stack ?? e, e?.code ?? '', e?.reason ?? '', e?.rawPacket?.toString('latin1') ?? '')
  process.exit(1)
}

// Asks every 100 ms until it is so; false after that many seconds.
async function until(seconds, question) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end;) {
    if (await question()) return true
    await new Promise((r) => setTimeout(r, 100))
  }
  return false
}

const admin = createClient({ url, request_timeout: 120000 })
const client = createClient({
  url,
  database: 'clienttest',
  application: 'yagura-test',
  request_timeout: 120000,
  clickhouse_settings: { async_insert: 1, wait_for_async_insert: 1 },
})

ok((await admin.ping()).success, 'ping')
await admin.command({ query: 'CREATE DATABASE IF NOT EXISTS clienttest' })
await client.command({
  query: 'CREATE TABLE t (id UInt64, name String, tags Array(String), at DateTime64(3)) ENGINE = MergeTree ORDER BY id',
  clickhouse_settings: { wait_end_of_query: 1 },
})
const rows = [
  { id: 1, name: "it's \\ \t", tags: ['a', 'b\''], at: '2026-01-01 00:00:00.123' },
  { id: 2, name: 'やぐら', tags: [], at: '2026-01-01 00:00:01.000' },
]
const inserted = await client.insert({ table: 't', values: rows, format: 'JSONEachRow' })
ok(inserted.executed && inserted.query_id.length > 0, 'insert of JSONEachRow values', inserted)
ok(inserted.summary?.written_rows === '2', 'summary counts the rows written', inserted.summary)
const got = await (await client.query({ query: 'SELECT * FROM t ORDER BY id', format: 'JSONEachRow' })).json()
ok(JSON.stringify(got.map((r) => ({ ...r, id: Number(r.id) }))) === JSON.stringify(rows), 'what went in comes out', got)
const json = await (await client.query({ query: 'SELECT count() AS c FROM t', format: 'JSON' })).json()
ok(Number(json.data[0].c) === 2 && json.rows === 1 && json.meta[0].name === 'c', 'JSON with its meta data', json)
for (const [format, want] of [['TabSeparated', '1\n2\n'], ['CSV', '1\n2\n'], ['CSVWithNames', '"id"\n1\n2\n'],
  ['TabSeparatedWithNamesAndTypes', 'id\nUInt64\n1\n2\n'], ['JSONCompactEachRow', '[1]\n[2]\n']]) {
  const text = await (await client.query({ query: 'SELECT id FROM t ORDER BY id', format,
    clickhouse_settings: { output_format_json_quote_64bit_integers: 0 } })).text()
  ok(text === want, `format ${format}`, text)
}
// The statement is longer than what malloc keeps aside without filling it
// (MALLOC_PERTURB_): a header made of a freed statement shows.
const padding = `/* ${'x'.repeat(3000)} */`
const mimes = { TabSeparated: 'text/tab-separated-values', CSV: 'text/csv', JSONEachRow: 'application/x-ndjson',
  JSON: 'application/json', XML: 'application/xml', Vertical: 'text/plain', Native: 'application/octet-stream' }
const told = []
for (const wait of [0, 1])
  for (const format of Object.keys(mimes)) {
    const r = await client.exec({ query: `${padding} SELECT 1 AS x FORMAT ${format}`, clickhouse_settings: { wait_end_of_query: wait } })
    for await (const chunk of r.stream) void chunk
    const h = r.response_headers
    if (h['x-clickhouse-format'] !== format || h['content-type'].split(';')[0] !== mimes[format])
      told.push([wait, format, h['x-clickhouse-format'], h['content-type']])
  }
ok(told.length === 0, 'the answer names the format that was asked for', told)
const bound = await (await client.query({
  query: 'SELECT id FROM t WHERE name = {name:String} AND has({ids:Array(UInt64)}, id) AND id < {n:UInt8}',
  query_params: { name: "it's \\ \t", ids: [1, 2, 3], n: 200 }, format: 'JSONCompactEachRow',
})).json()
ok(bound.length === 1 && Number(bound[0][0]) === 1, 'query parameters', bound)
await client.insert({ table: 't', values: Readable.from(['3\tx\t[]\t2026-01-01 00:00:02.000\n', '4\ty\t[]\t2026-01-01 00:00:02.000\n'], { objectMode: false }),
  format: 'TabSeparated' })
await client.insert({ table: 't', columns: ['id', 'name'], values: [[5, 'z']], format: 'JSONCompactEachRow' })
const exec = await client.exec({ query: 'SELECT sum(id) FROM t FORMAT TSV' })
let sum = ''
for await (const chunk of exec.stream) sum += chunk
ok(sum === '15\n', 'exec and inserts by stream and by column', sum)

let count = 0
const many = await client.query({ query: 'SELECT number, toString(number) AS s FROM numbers(300000)', format: 'JSONCompactEachRow' })
for await (const chunk of many.stream()) count += chunk.length
ok(count === 300000, 'a stream of 300,000 rows', count)

const missing = await fails(client.query({ query: 'SELECT * FROM nosuch' }).then((r) => r.text()))
ok(missing?.code === '60' && missing?.type === 'UNKNOWN_TABLE', 'an error has its code and type', [missing?.code, missing?.type])
const late = await fails(client.query({ query: 'SELECT count() FROM system.numbers WHERE sipHash64(number) = 1',
  clickhouse_settings: { max_execution_time: 1 } }).then((r) => r.text()))
ok(late?.code === '159', 'max_execution_time', late?.code)
const greedy = await fails(client.query({ query: 'SELECT 1', clickhouse_settings: { max_block_size: 'x' } }).then((r) => r.text()))
ok(greedy !== null, 'a setting with a bad value is refused')

// How many queries with that text run; the question itself does not count.
async function running(text) {
  const r = await admin.query({
    query: `SELECT count() AS c FROM system.processes WHERE query LIKE '%${text}%' AND query NOT LIKE '%system.processes%'`,
    format: 'JSON' })
  return Number((await r.json()).data[0].c)
}
const controller = new AbortController()
const aborted = fails(client.query({ query: 'SELECT count() FROM system.numbers WHERE sipHash64(number) = 1',
  abort_signal: controller.signal }).then((r) => r.text()))
ok(await until(30, async () => (await running('sipHash64(number) = 1')) > 0), 'a long query is seen to run')
const began = Date.now()
controller.abort()
const ended = await aborted
ok(ended !== null && Date.now() - began < 5000, 'abort', [String(ended), Date.now() - began])
ok(await until(20, async () => (await running('sipHash64(number) = 1')) === 0), 'what was aborted ends in the engine')
const victim = fails(client.query({ query: 'SELECT count() FROM system.numbers WHERE sipHash64(number) = 2', query_id: 'victim-1' }).then((r) => r.text()))
ok(await until(30, async () => (await running('sipHash64(number) = 2')) > 0), 'another one')
await client.command({ query: "KILL QUERY WHERE query_id = 'victim-1' SYNC" })
const killed = await victim
ok(killed?.code === '394', 'KILL QUERY ... SYNC', [killed?.code, String(killed)])
const parallel = await Promise.all(Array.from({ length: 24 }, (_, i) =>
  client.query({ query: 'SELECT {i:UInt32} + sleep(0.02)', query_params: { i }, format: 'TabSeparated' })
    .then(async (r) => [await r.text(), r.response_headers['x-clickhouse-format']])))
ok(parallel.every(([t], i) => Number(t) === i), '24 queries side by side', parallel)
ok(parallel.every(([, format]) => format === 'TabSeparated'), 'each with its own headers', parallel)
await client.command({ query: 'DROP DATABASE clienttest' })
await client.close()
await admin.close()
