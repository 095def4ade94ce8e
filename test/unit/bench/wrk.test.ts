import { describe, expect, test } from "bun:test";
import { BenchError } from "../../../bench/errors.ts";
import { errorsOf, parseWrkOutput } from "../../../bench/wrk.ts";

/** wrk 4.1.0 of Debian, as recorded. */
const heading = `Running 60m test @ http://127.0.0.1:9123/
  1 threads and 64 connections
`;
const statistics = `  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   380.66us  176.86us   3.20ms   84.41%
    Req/Sec   163.44k     6.37k  169.36k    85.71%
  113598 requests in 701.19ms, 12.68MB read
Requests/sec: 162008.14
Transfer/sec:     18.08MB
`;
const line = `{"requests":113598,"durationUs":701187,"connect":0,"read":0,"write":0,"status":0,"timeout":0}\n`;
const good = heading + statistics + line;

test("parseWrkOutput() reads the last line", () => {
  expect(parseWrkOutput(good)).toEqual({
    requests: 113_598,
    durationUs: 701_187,
    connect: 0,
    read: 0,
    write: 0,
    status: 0,
    timeout: 0,
  });
});

test("parseWrkOutput() keeps each sort of error, and errorsOf() adds them up", () => {
  const output = `${heading}  Socket errors: connect 1, read 20, write 300, timeout 4000
  Non-2xx or 3xx responses: 50000
{"requests":60000,"durationUs":701187,"connect":1,"read":20,"write":300,"status":50000,"timeout":4000}
`;
  expect(errorsOf(parseWrkOutput(output))).toBe(54_321);
});

describe("parseWrkOutput() refuses", () => {
  const rows: [what: string, output: string, message: string][] = [
    ["nothing", "", "wrk's output can't be read:\n(nothing)"],
    ["only a heading", heading, "wrk's output can't be read:"],
    ["an output without our line", heading + statistics, "wrk's output can't be read:"],
    ["a line cut before its end", good.slice(0, -20), "wrk's output can't be read:"],
    ["a line cut at its newline", good.slice(0, -1), "wrk's output can't be read:"],
    ["a missing field", good.replace(`"read":0,`, ""), "wrk's output can't be read:"],
    ["a field that isn't a number", good.replace(`"read":0`, `"read":"0"`), "can't be read"],
    ["a negative field", good.replace(`"read":0`, `"read":-1`), "can't be read"],
    ["complaints", "unable to connect to 127.0.0.1:1 Connection refused\n", "Connection refused"],
    ["no answers", good.replace("113598,", "0,"), "wrk got no answer:"],
  ];
  test.each(rows)("%s", (_what, output, message) => {
    expect(() => parseWrkOutput(output)).toThrow(BenchError);
    expect(() => parseWrkOutput(output)).toThrow(message);
  });

  test("an output cut at any byte", () => {
    for (let length = 0; length < good.length; length++) {
      expect(() => parseWrkOutput(good.slice(0, length))).toThrow(BenchError);
    }
  });
});
