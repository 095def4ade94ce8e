/** Addresses that can't be opened: what no other attempt mends ends them at once, with a sentence that says what is missing. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ListenError } from "../../../src/listen/group.ts";
import { openListeners } from "../../support/listeners.ts";

const folder = mkdtempSync(join(tmpdir(), "gunicorn-ts-listen-"));
const file = join(folder, "file");
writeFileSync(file, "");
const round = join(folder, "round");
symlinkSync(round, round);
afterAll(() => rmSync(folder, { recursive: true }));

/** Longer than a label may be (RFC 1035 §2.3.4), so that no resolver is asked. */
const noName = `${"x".repeat(64)}.invalid`;

const rows: [claim: string, bind: string, line: RegExp, why: string][] = [
  [
    "a folder that isn't there",
    "unix:/nowhere/app/app.sock",
    /^connection to \/nowhere\/app\/app\.sock failed: \[Errno 2\] No such file or directory \(/,
    "Can't connect to /nowhere/app/app.sock: the folder /nowhere/app doesn't exist",
  ],
  [
    "a folder that is a file",
    `unix:${file}/app.sock`,
    /^connection to \S+ failed: ENOTDIR: not a directory/,
    `Can't connect to ${file}/app.sock: ${file} is not a folder`,
  ],
  [
    "a folder that is a loop of links",
    `unix:${round}/app.sock`,
    /^connection to \S+ failed: ELOOP: /,
    `Can't connect to ${round}/app.sock: the links of ${round} go in circles`,
  ],
  [
    "an address of another machine",
    "203.0.113.1:0",
    /^Invalid address: \('203\.0\.113\.1', 0\) \(/,
    "Can't connect to ('203.0.113.1', 0): this machine has no address 203.0.113.1, 0.0.0.0 stands for all that it has",
  ],
  [
    "a v6 address of another machine",
    "[2001:db8::1]:0",
    /^Invalid address: \('2001:db8::1', 0\) \(/,
    "Can't connect to ('2001:db8::1', 0): this machine has no address 2001:db8::1, [::] stands for all that it has",
  ],
  [
    "a name that nobody knows",
    `${noName}:0`,
    /^connection to \('x{64}\.invalid', 0\) failed: getaddrinfo ENOTFOUND /,
    `Can't connect to ('${noName}', 0): no address is known for the name ${noName}`,
  ],
];

test.each(rows)("%s: one attempt, whose line and end say it", async (_claim, bind, line, why) => {
  const lines: string[] = [];
  const onRetry = (message: string) => void lines.push(message);
  const failure: unknown = await openListeners([bind], 1, { onRetry }).catch((error) => error);
  expect(failure).toBeInstanceOf(ListenError);
  expect((failure as Error).message).toBe(why);
  expect(lines).toEqual([expect.stringMatching(line)]);
  const [, reason = ""] = why.split(/^Can't connect to .*?: (?=the|this|no|\/)/);
  expect(lines[0]).toEndWith(`(${reason})`);
});
