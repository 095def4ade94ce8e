/**
 * The C library, opened on the first call, so that importing this file costs nothing. Only src/os may
 * use it: everybody else sees functions that take numbers and throw SystemError.
 */
import { dlopen, read, type Pointer } from "bun:ffi";
import { constants } from "node:os";

const definitions = {
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
  listen: { args: ["i32", "i32"], returns: "i32" },
  connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
  close: { args: ["i32"], returns: "i32" },
  dup2: { args: ["i32", "i32"], returns: "i32" },
  getpwnam: { args: ["ptr"], returns: "ptr" },
  getpwuid: { args: ["u32"], returns: "ptr" },
  getgrnam: { args: ["ptr"], returns: "ptr" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
  getsockopt: { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" },
  getsockname: { args: ["i32", "ptr", "ptr"], returns: "i32" },
  inet_pton: { args: ["i32", "ptr", "ptr"], returns: "i32" },
  inet_ntop: { args: ["i32", "ptr", "ptr", "u32"], returns: "ptr" },
  if_nametoindex: { args: ["ptr"], returns: "u32" },
  poll: { args: ["ptr", "u64", "i32"], returns: "i32" },
  strerror: { args: ["i32"], returns: "cstring" },
  recv: { args: ["i32", "ptr", "usize", "i32"], returns: "i64" },
  shutdown: { args: ["i32", "i32"], returns: "i32" },
  socketpair: { args: ["i32", "i32", "i32", "ptr"], returns: "i32" },
  sendmsg: { args: ["i32", "ptr", "i32"], returns: "i64" },
  recvmsg: { args: ["i32", "ptr", "i32"], returns: "i64" },
  sendto: { args: ["i32", "ptr", "usize", "i32", "ptr", "u32"], returns: "i32" },
  clock_gettime: { args: ["i32", "ptr"], returns: "i32" },
  waitpid: { args: ["i32", "ptr", "i32"], returns: "i32" },
  fcntl: { args: ["i32", "i32", "i32"], returns: "i32" },
  ioctl: { args: ["i32", "u64", "ptr"], returns: "i32" },
  isatty: { args: ["i32"], returns: "i32" },
  lseek: { args: ["i32", "i64", "i32"], returns: "i64" },
  flock: { args: ["i32", "i32"], returns: "i32" },
  mmap: { args: ["ptr", "usize", "i32", "i32", "i32", "i64"], returns: "ptr" },
} as const;

// fcntl is variadic, and on Apple silicon variadic arguments go on the stack: six idle ones fill the registers.
const variadicOnStack = {
  args: ["i32", "i32", "i64", "i64", "i64", "i64", "i64", "i64", "i64"],
  returns: "i32",
} as const;

type Library = ReturnType<typeof dlopen<typeof definitions>>["symbols"];

interface Libc {
  readonly symbols: Library;
  readonly fcntl: (fd: number, command: number, argument: number) => number;
  readonly errno: () => number;
  readonly path: string;
}

let opened: Libc | undefined;

function libc(): Libc {
  return (opened ??= process.platform === "darwin" ? openDarwin() : openLinux());
}

function openLinux(): Libc {
  const musl = `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`;
  const { symbols, path } = openFirst(["libc.so.6", musl]);
  const errno = errnoReader(path, "__errno_location");
  return { symbols, fcntl: symbols.fcntl, errno, path };
}

function openDarwin(): Libc {
  const { symbols, path } = openFirst(["libSystem.B.dylib"]);
  const errno = errnoReader(path, "__error");
  if (process.arch !== "arm64") return { symbols, fcntl: symbols.fcntl, errno, path };
  const { fcntl } = dlopen(path, { fcntl: variadicOnStack }).symbols;
  const onStack: Libc["fcntl"] = (fd, ...rest) => fcntl(fd, rest[0], 0, 0, 0, 0, 0, 0, rest[1]);
  return { symbols, fcntl: onStack, errno, path };
}

/** errno belongs to the thread: the C library has a function that says where it is. */
function errnoReader(path: string, name: string): () => number {
  const location = dlopen(path, { [name]: { args: [], returns: "ptr" } }).symbols[name];
  return () => read.i32(Number(location?.()) as Pointer, 0);
}

function openFirst(paths: readonly string[]): { symbols: Library; path: string } {
  let cause: unknown;
  for (const path of paths) {
    try {
      return { symbols: dlopen(path, definitions).symbols, path };
    } catch (error) {
      // Not this C library: the next name may be there, and the last failure is kept.
      cause = error;
    }
  }
  const reason = cause instanceof Error ? `: ${cause.message}` : "";
  throw new Error(`no C library could be loaded, tried ${paths.join(", ")}${reason}`, { cause });
}

/** Opens the C library ahead of the first call, for who has time now. */
export function openLibrary(): void {
  libc();
}

/** The C functions themselves: they answer -1 and leave errno, which `check` turns into an error. */
export function library(): Library {
  return libc().symbols;
}

const memoryDefinitions = {
  memfd_create: { args: ["ptr", "u32"], returns: "i32" },
  posix_fallocate: { args: ["i32", "i64", "i64"], returns: "i32" },
} as const;

/** What makes memory without a file; null where the C library has none, as on macOS. */
export function memoryLibrary() {
  try {
    return dlopen(libc().path, memoryDefinitions).symbols;
  } catch {
    // dlopen() throws for a name that isn't there.
    return null;
  }
}

const fileDefinitions = {
  sendfile: { args: ["i32", "i32", "ptr", "usize"], returns: "i64" },
  preadv2: { args: ["i32", "ptr", "i32", "i64", "i32"], returns: "i64" },
  fstatfs: { args: ["i32", "ptr"], returns: "i32" },
} as const;

/** What sends files on Linux; null where the C library hasn't all of it: musl has preadv2() from 1.2.5 on. */
export function fileLibrary() {
  try {
    return dlopen(libc().path, fileDefinitions).symbols;
  } catch {
    // dlopen() throws for a name that isn't there.
    return null;
  }
}

/** The error number of the call that has just failed. */
export function errnoNow(): number {
  return libc().errno();
}

/** A text as C functions take it. */
export function cString(text: string): Uint8Array {
  return new TextEncoder().encode(`${text}\0`);
}

export function fcntl(fd: number, command: number, argument: number): number {
  return check(libc().fcntl(fd, command, argument), "fcntl");
}

/** Passes a result on, and throws the SystemError of errno when it is negative. */
export function check(result: number, syscall: string): number {
  if (result >= 0) return result;
  throw lastError(syscall);
}

/** The error of the call that has just failed, for callers to whom it is an outcome. */
export function lastError(syscall: string): SystemError {
  return new SystemError(libc().errno(), syscall);
}

/**
 * A system call that failed; the message is Python's, as operators know it from Gunicorn: `[Errno 98] Address already
 * in use`.
 */
export class SystemError extends Error {
  override readonly name = "SystemError";
  readonly errno: number;
  /** The error's name: `EADDRINUSE`. */
  readonly code: string;
  readonly syscall: string;

  constructor(errno: number, syscall: string) {
    super(`[Errno ${errno}] ${libc().symbols.strerror(errno)}`);
    this.errno = errno;
    this.code = nameOf(errno);
    this.syscall = syscall;
  }
}

function nameOf(errno: number): string {
  // Some numbers have two names (EAGAIN, EWOULDBLOCK): the common one comes first.
  for (const [name, number] of Object.entries(constants.errno)) if (number === errno) return name;
  return `E${errno}`;
}
