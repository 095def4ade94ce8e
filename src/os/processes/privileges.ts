/** Who workers run as. What a process gives up here it can't take back, and that is tried out each time. */
import { type Pointer, ptr, read } from "bun:ffi";
import { cString, library } from "../libc.ts";

/** The settings, as they are: numbers, names, or null for those of the master. */
export interface Accounts {
  readonly user: number | string | null;
  readonly group: number | string | null;
  readonly initgroups: boolean;
}

export interface Identity {
  readonly uid: number;
  readonly gid: number;
  /** Whether the user's groups of the group database are taken too; else none but `gid`. */
  readonly initgroups: boolean;
}

/** 2^32 - 1 means "unchanged" to the kernel, and what is above would wrap around to root's 0. */
const maxId = 4294967294;

/** One sentence for the operator: an unknown name at the start, or a change that didn't come about. */
export class PrivilegesError extends Error {
  override readonly name = "PrivilegesError";
}

/**
 * Who the accounts are; null if that is who this process is already.
 * @throws PrivilegesError for an unknown name, and for what only root could become
 */
export function identityOf({ user, group, initgroups }: Accounts): Identity | null {
  const own = ownIds();
  if (user === null && group === null) return null;
  checkNumber("user", user);
  checkNumber("group", group);
  const entry = user === null ? null : findUser(user);
  if (typeof user === "string" && entry === null) {
    throw new PrivilegesError(`user: No such user: '${user}'`);
  }
  const uid = entry?.uid ?? (user as number | null) ?? own.uid;
  const gid = group === null ? groupOf(uid, entry, own) : findGroup(group);
  if (uid === own.uid && gid === own.gid && !(initgroups && own.uid === 0)) return null;
  if (own.uid !== 0) {
    const [name, got] = uid === own.uid ? ["group", group] : ["user", user];
    const runs = `the server runs as user ${own.uid}, group ${own.gid}`;
    throw new PrivilegesError(`${name}: only root can change it, got '${got}', ${runs}`);
  }
  if (initgroups && (entry ?? findUser(uid)) === null) {
    throw new PrivilegesError(`initgroups: user ${uid} has no entry in the user database`);
  }
  return { uid, gid, initgroups };
}

/** bun-types doesn't know it. */
const withInitgroups = process as unknown as { initgroups(user: number, group: number): void };

/** Makes this process that identity, for good. Throws PrivilegesError. */
export function assume(identity: Identity): void {
  const { uid, gid, initgroups } = identity;
  // In this order: without the user's rights, groups can't be changed any more.
  attempt("the groups", () => {
    if (initgroups) withInitgroups.initgroups(uid, gid);
    else process.setgroups?.([gid]);
  });
  attempt(`group ${gid}`, () => process.setgid?.(gid));
  attempt(`user ${uid}`, () => process.setuid?.(uid));
  verify(identity);
}

function verify({ uid, gid }: Identity): void {
  const ids = [process.getuid?.(), process.geteuid?.(), process.getgid?.(), process.getegid?.()];
  if (ids.join() !== [uid, uid, gid, gid].join()) {
    throw new PrivilegesError(`user: wanted user ${uid} and group ${gid}, got ${ids.join(", ")}`);
  }
  // A saved id, or a capability that stayed, would let the app become root again.
  if (uid !== 0 && comesBack()) {
    throw new PrivilegesError(`user: user ${uid} could become root again`);
  }
}

function comesBack(): boolean {
  try {
    process.setuid?.(0);
    return true;
  } catch {
    // EPERM, the good end. Whatever else it says: it is not root.
    return false;
  }
}

function attempt(what: string, change: () => void): void {
  try {
    change();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new PrivilegesError(`user: can't change to ${what}: ${code ?? message}`, { cause });
  }
}

interface Ids {
  readonly uid: number;
  readonly gid: number;
}

function ownIds(): Ids {
  return { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
}

function checkNumber(name: "user" | "group", account: number | string | null): void {
  if (typeof account !== "number" || account <= maxId) return;
  throw new PrivilegesError(`${name}: must be at most ${maxId}, got ${account}`);
}

/** Root's group is not for a user who isn't root: it is the user's own one unless another is named. */
function groupOf(uid: number, entry: Ids | null, own: Ids): number {
  if (uid === own.uid) return own.gid;
  if (entry !== null) return entry.gid;
  throw new PrivilegesError(
    `user: user ${uid} has no entry in the user database, name a group as well`,
  );
}

function findGroup(group: number | string): number {
  if (typeof group === "number") return group;
  const entry = library().getgrnam(ptr(cString(group))) as Pointer | null;
  if (entry === null) throw new PrivilegesError(`group: No such group: '${group}'`);
  // struct group { char *gr_name; char *gr_passwd; gid_t gr_gid; ... }
  return read.u32(entry, 16);
}

function findUser(user: number | string): Ids | null {
  const { getpwnam, getpwuid } = library();
  const found = typeof user === "number" ? getpwuid(user) : getpwnam(ptr(cString(user)));
  const entry = found as Pointer | null;
  // struct passwd { char *pw_name; char *pw_passwd; uid_t pw_uid; gid_t pw_gid; ... }
  return entry === null ? null : { uid: read.u32(entry, 16), gid: read.u32(entry, 20) };
}
