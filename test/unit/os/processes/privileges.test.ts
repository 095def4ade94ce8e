import { expect, test } from "bun:test";
import { isRoot, needsRoot } from "../../../support/needs.ts";
import { testUnless } from "../../../support/wire.ts";
import {
  type Accounts,
  identityOf,
  PrivilegesError,
} from "../../../../src/os/processes/privileges.ts";

const unchanged: Accounts = { user: null, group: null, initgroups: false };
const uid = process.geteuid?.() as number;
const gid = process.getegid?.() as number;

function messageOf(accounts: Partial<Accounts>): string {
  try {
    identityOf({ ...unchanged, ...accounts });
  } catch (error) {
    if (error instanceof PrivilegesError) return error.message;
    throw error;
  }
  return "none";
}

test.each([
  ["nothing set", {}],
  ["nothing but initgroups", { initgroups: true }],
  ["the own user by number", { user: uid }],
  ["the own user by name", { user: Bun.spawnSync(["id", "-un"]).stdout.toString().trim() }],
  ["the own group", { group: gid }],
  ["both", { user: uid, group: gid }],
] as const)("%s changes nothing", (_claim, accounts) => {
  expect(identityOf({ ...unchanged, ...accounts })).toBeNull();
});

test("unknown names are refused, also when they look like part of something", () => {
  expect(messageOf({ user: "no-such-user" })).toBe("user: No such user: 'no-such-user'");
  expect(messageOf({ group: "no-such-group" })).toBe("group: No such group: 'no-such-group'");
  expect(messageOf({ user: "" })).toBe("user: No such user: ''");
  // Would be root's 0 in 32 bits.
  expect(messageOf({ user: 2 ** 32 })).toBe("user: must be at most 4294967294, got 4294967296");
  expect(messageOf({ group: 2 ** 32 - 1 })).toBe(
    "group: must be at most 4294967294, got 4294967295",
  );
});

testUnless(uid === 0)("only root can change", () => {
  const runs = `the server runs as user ${uid}, group ${gid}`;
  expect(messageOf({ user: 0 })).toBe(`user: only root can change it, got '0', ${runs}`);
  expect(messageOf({ group: 0 })).toBe(`group: only root can change it, got '0', ${runs}`);
});

test.skipIf(!isRoot)(`numbers, names and the primary group${needsRoot}`, () => {
  const nobody = { uid: 65534, gid: 65534, initgroups: false };
  expect(identityOf({ ...unchanged, user: "nobody" })).toEqual(nobody);
  expect(identityOf({ ...unchanged, user: 65534 })).toEqual(nobody);
  expect(identityOf({ ...unchanged, user: "nobody", group: 0 })).toEqual({ ...nobody, gid: 0 });
  // Not the master's group, which is root's.
  expect(identityOf({ ...unchanged, user: "daemon" })).toMatchObject({ uid: 1, gid: 1 });
  expect(identityOf({ ...unchanged, user: 54321, group: 4 })).toMatchObject({ uid: 54321, gid: 4 });
  expect(identityOf({ ...unchanged, group: 4 })).toMatchObject({ uid: 0, gid: 4 });
  expect(messageOf({ user: 54321 })).toBe(
    "user: user 54321 has no entry in the user database, name a group as well",
  );
  expect(messageOf({ user: 54321, group: 4, initgroups: true })).toBe(
    "initgroups: user 54321 has no entry in the user database",
  );
});
