import { expect, test } from "bun:test";
import { bindAddresses, type BindSettings } from "../../../src/net/secure-addresses.ts";

const none: Omit<BindSettings, "bind"> = { chdir: "/srv", certfile: null, keyfile: null, tls: [] };
const one = { ...none, certfile: "a.pem" };
const several = { ...none, tls: [{}] };

const undecided = ["127.0.0.1:1", "[::1]:1", "tcp://127.0.0.1:2", "unix:a", "unix:@a", "fd://3"];

const rows: [what: string, config: typeof none, binds: string[], secure: boolean[]][] = [
  ["without a certificate nothing", none, undecided, undecided.map(() => false)],
  ["with a certificate everything", one, undecided, undecided.map(() => true)],
  ["with certificates by name", several, undecided, undecided.map(() => true)],
  ["but for what says http://", one, ["http://:1", ":2", "unix:a"], [false, true, true]],
  ["https:// alone", one, ["https://:1"], [true]],
  [
    "https:// alone of several",
    one,
    [...undecided, "HTTPS://[::1]:3"],
    [...undecided.map(() => false), true],
  ],
  ["each as it says", one, ["http://:1", "https://:2", ":3"], [false, true, false]],
];

test.each(rows)("bindAddresses(): TLS is %s", (_, config, bind, secure) => {
  expect(bindAddresses({ ...config, bind }).map((address) => address.secure)).toEqual(secure);
});
