// node-postgres: text results (it reads no others), a Buffer as binary parameter, named statements, cancel, notifications, COPY, errors, 64 MiB.
'use strict';
const crypto = require('crypto');
const net = require('net');
const { once } = require('events');
const { pipeline } = require('stream/promises');
const { Readable } = require('stream');
const { parseArgs, isDeepStrictEqual, inspect } = require('util');
const { Client, types } = require('pg');
const copyStreams = require('pg-copy-streams');

const VALUES = [
  ['bool', true], ['int2', 7], ['int4', -70000], ['int8', '1099511627776'], ['float8', 0.1], ['numeric', '12.3400'],
  ['text', "grün ☃ 'quoted'"], ['bytea', Buffer.from([0, 255, 92])], ['date', '2024-02-29'], ['time', '23:59:59.000005'],
  ['timestamp', '2024-03-31 02:30:00'], ['timestamptz', '2024-03-31 01:30:00+00'], ['interval', '3 days 4 seconds'],
  ['uuid', '00000000-0000-0000-0000-00000000002a'], ['int4[]', [1, 2, null]], ['text[]', ['a', 'b,c', '"']],
  ['jsonb', { a: [1, null] }], ['text', null],
];

async function withClient(way, use) {
  const client = new Client({
    host: way.host, port: way.port, user: way.user, password: way.password, database: way.database,
    ssl: way.sslmode === 'disable' ? false : { rejectUnauthorized: false },  // the certificate of the test signs itself
  });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

// Warmfront reads the catalog anew after DDL, and serves nothing from memory until it has.
const settle = () => new Promise((resolve) => setTimeout(resolve, 1000));

async function makeItems(client) {
  await client.query('DROP TABLE IF EXISTS items; CREATE TABLE items (id int PRIMARY KEY, name text, price numeric)');
  await client.query("INSERT INTO items SELECT g, 'item ' || g, g FROM generate_series(0, 49) g");
}

const checks = {
  async parameters(client) {
    const seen = [];
    for (const [kind, value] of VALUES) {
      for (const name of [undefined, `of ${kind}`, `of ${kind}`]) {
        const { rows } = await client.query({ text: `SELECT $1::${kind} AS value`, values: [value], name });
        seen.push([kind, rows[0].value]);
      }
    }
    return seen;
  },

  async repeatedReads(client) {
    await makeItems(client);
    await settle();
    const seen = [];
    for (let turn = 0; turn < 60; ++turn) {
      const name = turn % 2 ? 'by id' : undefined;
      const result = await client.query({ text: 'SELECT * FROM items WHERE id = $1', values: [turn % 4], name });
      seen.push(result.rows, result.fields.map((field) => [field.name, field.dataTypeID, field.format]));
      seen.push((await client.query(`SELECT price FROM items WHERE id = ${turn % 4}`)).rows);
      if (turn % 10 === 9) await client.query('UPDATE items SET price = price + 1 WHERE id = $1', [turn % 4]);
    }
    return seen;
  },

  async manyAtOnce(client) {
    await makeItems(client);
    const results = await Promise.all([...Array(100).keys()].map((i) =>
      client.query(i % 7 ? 'SELECT count(*) FROM items' : `DELETE FROM items WHERE id = ${i}`)));
    return results.map((result) => [result.command, result.rowCount, result.rows]);
  },

  async severalCommands(client) {
    await makeItems(client);
    const results = await client.query("SELECT 1 AS one; SELECT 'two' AS two; UPDATE items SET price = 0 WHERE id < 5");
    return results.map((result) => [result.command, result.rowCount, result.rows]);
  },

  async copy(client) {
    await client.query('DROP TABLE IF EXISTS copied; CREATE TABLE copied (id int, body text)');
    const lines = [...Array(1000).keys()].map((i) => `${i}\trow ${i}\n`);
    await pipeline(Readable.from(lines), client.query(copyStreams.from('COPY copied FROM STDIN')));
    let out = '';
    for await (const part of client.query(copyStreams.to('COPY (SELECT * FROM copied ORDER BY id) TO STDOUT'))) out += part;
    return out;
  },

  // node-postgres has no cancel over TLS, so the request is made by hand from the key that it was given.
  async cancel(client, way) {
    const running = client.query("SELECT 'canceled by node', pg_sleep(120)").then(() => 'finished', (error) => error.code);
    await withClient(way, async (watcher) => {
      const active = "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT ''canceled by node''%'";
      while ((await watcher.query(active)).rowCount === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    });
    const request = Buffer.alloc(16);
    [16, 80877102, client.processID, client.secretKey].forEach((number, i) => request.writeInt32BE(number, 4 * i));
    const socket = net.connect(way.port, way.host);
    socket.end(request);
    await once(socket.resume(), 'close');
    return [await running, (await client.query('SELECT 1 AS one')).rows];
  },

  async notifications(client, way) {
    const heard = [];
    await client.query('LISTEN news');
    const third = new Promise((resolve) => client.on('notification', ({ channel, payload }) => {
      if (heard.push([channel, payload]) === 3) resolve();
    }));
    await withClient(way, async (speaker) => {
      for (let i = 0; i < 3; ++i) await speaker.query(`NOTIFY news, 'item ${i}'`);
    });
    await third;
    return heard;
  },

  async errors(client) {
    await client.query('DROP TABLE IF EXISTS strict');
    await client.query('CREATE TABLE strict (id int CONSTRAINT key PRIMARY KEY, n int CONSTRAINT positive CHECK (n > 0))');
    const seen = [];
    for (const text of ['SELECT nonsense', 'INSERT INTO strict VALUES (1, 0)', 'INSERT INTO strict VALUES (1, 1), (1, 2)', 'SELEC']) {
      for (const values of [undefined, []]) {
        await client.query({ text, values }).catch((error) => seen.push({ ...error, message: error.message }));
      }
    }
    return seen;
  },

  async largeValue(client) {
    await client.query('DROP TABLE IF EXISTS large; CREATE TABLE large (id int PRIMARY KEY, body bytea)');
    const body = Buffer.alloc(64 << 20, Buffer.from([...Array(251).keys()]));
    await client.query('INSERT INTO large VALUES (1, $1)', [body]);
    const seen = [];
    for (const name of [undefined, 'large']) {
      const { rows } = await client.query({ text: 'SELECT body FROM large WHERE id = $1', values: [1], name });
      seen.push(rows[0].body.equals(body), crypto.createHash('sha256').update(rows[0].body).digest('hex'));
    }
    await client.query('DROP TABLE large');
    return seen;
  },
};

async function main() {
  for (const kind of [types.builtins.DATE, types.builtins.TIMESTAMP, types.builtins.TIMESTAMPTZ]) types.setTypeParser(kind, String);
  const text = { type: 'string' };
  const { values: given } = parseArgs({
    options: { host: text, 'direct-port': text, 'through-port': text, user: text, password: text, database: text, sslmode: text },
  });
  const direct = { ...given, port: Number(given['direct-port']) };
  const through = { ...given, port: Number(given['through-port']) };
  for (const [name, check] of Object.entries(checks)) {
    const expected = await withClient(direct, (client) => check(client, direct));
    const got = await withClient(through, (client) => check(client, through));
    if (isDeepStrictEqual(expected, got)) {
      console.log('ok', name);
    } else {
      const words = [expected, got].map((value) => inspect(value, { depth: 8, maxArrayLength: null, maxStringLength: 2000 }));
      const at = Math.max([...words[0]].findIndex((letter, i) => letter !== words[1][i]) - 300, 0);
      console.log('DIFFERS', name, '\n  direct: ', words[0].slice(at, at + 600), '\n  through:', words[1].slice(at, at + 600));
      process.exitCode = 1;
    }
  }
}

main();
