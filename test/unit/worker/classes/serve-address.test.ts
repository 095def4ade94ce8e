import { expect, test } from "bun:test";
import { needsV6only } from "../../../../src/worker/classes/serve/address.ts";

const tcp = (hostname: string, port: number) => ({ type: "tcp", hostname, port }) as const;
const any6 = tcp("::", 443);

test.each([
  [any6, [any6], false],
  [any6, [tcp("0.0.0.0", 443), any6], true],
  [any6, [any6, tcp("0.0.0.0", 443)], true],
  [any6, [tcp("0.0.0.0", 80), any6], false],
  [any6, [tcp("127.0.0.1", 443), any6], false],
  [tcp("::1", 443), [tcp("0.0.0.0", 443), tcp("::1", 443)], false],
  [tcp("0.0.0.0", 443), [tcp("0.0.0.0", 443), any6], false],
  [{ type: "unix", path: "/a" } as const, [any6], false],
])("needsV6only(%j) among %j: %p", (bound, all, needs) => {
  expect(needsV6only(bound, all)).toBe(needs);
});
