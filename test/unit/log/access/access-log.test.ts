import { expect, test } from "bun:test";
import { AccessLog } from "../../../../src/log/access/access-log.ts";
import { compileAccessFormat } from "../../../../src/log/access/format.ts";
import type { Log } from "../../../../src/log/error-log.ts";
import type { LogHandler } from "../../../../src/log/sinks/log-handler.ts";
import { SlowRequests } from "../../../../src/log/slow-requests.ts";
import { record } from "../../../support/access-lines.ts";

class Lines implements LogHandler {
  readonly lines: string[] = [];

  emit(level: string, message: string): void {
    this.lines.push(`${level} ${message}`);
  }

  flush(): void {}
  reopen(): void {}
  close(): void {}
}

test("a request is one line for each destination", () => {
  const handlers = [new Lines(), new Lines()];
  const log = new AccessLog(compileAccessFormat("%(s)s %(m)s"), handlers);
  log.answered(record());
  log.answered(record({ status: 404 }));
  for (const { lines } of handlers) expect(lines).toEqual(["info 200 GET", "info 404 GET"]);
});

const slow: [durationUs: number, given: Parameters<typeof record>[0], line: string | null][] = [
  [249_999, {}, null],
  [250_000, {}, `Slow request GET /path 250 ms status 200 pid ${process.pid}`],
  [
    1_234_567,
    { target: '/%20"\n', status: 499 },
    `Slow request GET /%20\\"\\x0a 1235 ms status 499 pid ${process.pid}`,
  ],
  [1e6, { method: "", target: "x y" }, `Slow request - - 1000 ms status 200 pid ${process.pid}`],
];
test.each(slow)("%d us with a limit of 250 ms, row %#", (durationUs, given, line) => {
  const warnings: string[] = [];
  const log = { warning: (message: string) => warnings.push(message) } as unknown as Log;
  new SlowRequests(250, log).answered(record({ ...given, durationUs }));
  expect(warnings).toEqual(line === null ? [] : [line]);
});
