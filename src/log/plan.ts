/**
 * Which lines go where, before anything is opened: the form in which the settings and a logging configuration say it.
 */
import type { ConfigData } from "../config/types.ts";
import type { LineFormat, LogLevel } from "./lines/line-format.ts";

/** Where syslog is, other than the settings say. */
export type SyslogTarget = Pick<ConfigData, "syslogAddr" | "syslogFacility">;

export type Destination =
  | { readonly type: "stream"; readonly fd: 1 | 2 }
  | { readonly type: "file"; readonly path: string }
  | {
      readonly type: "rotating";
      readonly path: string;
      /** 0: others rename it, and the name is opened anew then. */
      readonly maxBytes: number;
      readonly backupCount: number;
    }
  /** Null: as the syslog settings say. */
  | { readonly type: "syslog"; readonly target: SyslogTarget | null };

export interface HandlerPlan {
  /** Where messages say that it stands: `errorlog`, `logconfig_dict: handlers.file`. */
  readonly place: string;
  readonly to: Destination;
  readonly threshold: LogLevel;
  /** The form of a line. Syslog by the settings has a form of its own, and doesn't use it. */
  readonly format: LineFormat;
}

export interface LoggerPlan {
  readonly threshold: LogLevel;
  readonly handlers: readonly HandlerPlan[];
}

export interface LogPlan {
  readonly error: LoggerPlan;
  /** Null: there is no access log. */
  readonly access: LoggerPlan | null;
}
