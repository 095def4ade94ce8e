import { fcntl, lastError, library } from "./libc.ts";

// Linux, macOS and the BSDs agree on these.
const lockShared = 1;
const lockExclusive = 2;
const lockNonBlocking = 4;
const lockRelease = 8;
const seekFromHere = 1;

const lockTries = 50;

/**
 * Takes the advisory lock of a file that several processes have opened, each for itself. Answers false when somebody
 * holds it for 50 ms: a process that was stopped must not stop the others. Where there are no locks (ENOLCK, EOPNOTSUPP
 * of file systems of a network), it answers true: nobody else has one either.
 */
export function lockFile(fd: number): boolean {
  for (let tries = 0; tries < lockTries; tries++) {
    if (library().flock(fd, lockExclusive | lockNonBlocking) === 0) return true;
    if (!["EAGAIN", "EWOULDBLOCK", "EINTR"].includes(lastError("flock").code)) return true;
    Bun.sleepSync(1);
  }
  return false;
}

/**
 * Locks the file behind the descriptor until that is closed, the death of its process included. Answers whether it
 * could.
 */
export function holdFile(fd: number): boolean {
  return library().flock(fd, lockExclusive | lockNonBlocking) === 0;
}

/** Whether somebody holds the file by holdFile(); null where the file system can't tell. */
export function isHeld(fd: number): boolean | null {
  // Shared, since NFS gives a lock of the other kind to those only who may write.
  if (library().flock(fd, lockShared | lockNonBlocking) === 0) {
    unlockFile(fd);
    return false;
  }
  return lastError("flock").code === "EAGAIN" ? true : null;
}

export function unlockFile(fd: number): void {
  library().flock(fd, lockRelease);
}

/** The offset behind what this descriptor has written last; negative for what has no offset. */
export function writtenUpTo(fd: number): number {
  return Number(library().lseek(fd, 0, seekFromHere));
}

/** A second descriptor of the same open file, which programs that are started don't inherit. */
export function duplicate(fd: number): number {
  const duplicateCloseOnExec = process.platform === "linux" ? 1030 : 67;
  return fcntl(fd, duplicateCloseOnExec, 3);
}
