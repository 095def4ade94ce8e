/** How others find the master: its pid file and its title. Beside its old master, a new one has names of its own. */
import type { Config } from "../../../config/types.ts";
import type { Log } from "../../../log/error-log.ts";
import { PidFile, PidFileError } from "../../../os/processes/pid-file.ts";
import { processTitle, setProcessTitle } from "../../../os/processes/process-title.ts";

export class Identity {
  readonly #pidFile: PidFile;
  #config: Config;
  #second: boolean;

  /** `second`: this is the new master of an upgrade. */
  constructor(config: Config, second: boolean) {
    this.#config = config;
    this.#second = second;
    this.#pidFile = new PidFile(this.#pidFilePath());
  }

  /** Writes the pid file; throws PidFileError when it can't, or another server holds it. */
  create(): void {
    this.#pidFile.create();
  }

  /** Removes the pid file, if it is still this process's. */
  remove(): void {
    this.#pidFile.remove();
  }

  title(): void {
    const procName = this.#named(this.#config.procName ?? this.#config.defaultProcName);
    setProcessTitle(processTitle("master", { ...this.#config, procName }));
  }

  /** The old master has gone: its names are free. */
  promote(log: Log): void {
    this.#second = false;
    this.#renew(log);
  }

  /** After a reload. */
  use(config: Config, log: Log): void {
    this.#config = config;
    this.#renew(log);
  }

  #renew(log: Log): void {
    this.title();
    try {
      this.#pidFile.rename(this.#pidFilePath());
    } catch (error) {
      if (!(error instanceof PidFileError)) throw error;
      log.error(error.message);
    }
  }

  #pidFilePath(): string | null {
    const { pidfile } = this.#config;
    return pidfile === null ? null : this.#named(pidfile);
  }

  #named(name: string): string {
    return this.#second ? `${name}.2` : name;
  }
}
