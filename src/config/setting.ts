/** What a row of the settings table says. Flags, help, docs, types and sources all derive from the rows. */
import type { Facts, Kind, Unit } from "./values/kinds.ts";

export interface Flag {
  /** Gunicorn's spelling, `--limit-request-field_size`. */
  readonly long: `--${string}`;
  readonly short?: `-${string}`;
  /** Another spelling of Gunicorn's, or the same with dashes only. */
  readonly alias?: `--${string}`;
  /** What a flag without a value stores; true if left out. */
  readonly stores?: boolean;
}

/**
 * `planned`: refused until it is built. `pythonOnly`: refused, and the text names what does the job
 * here. `never`: refused for the reason given.
 */
export type Status =
  "works" | "planned" | { readonly pythonOnly: string } | { readonly never: string };

export interface EnvDefault {
  readonly variable: string;
  /** The variable's text as the setting's raw value. */
  read(text: string): unknown;
}

export interface Setting<Out = unknown, In = Out> {
  readonly flags?: readonly Flag[];
  /** The value's name in help; the kind's own if left out. */
  readonly metavar?: string;
  readonly kind: Kind<Out, In>;
  readonly default: NoInfer<Out>;
  /** Where the default depends on the machine, and `default` is what most see. */
  defaultOn?(facts: Facts): NoInfer<Out>;
  /** The default in words, where the value says too little. */
  readonly defaultText?: string;
  readonly env?: EnvDefault;
  readonly status: Status;
  /** What others may see of the value, where it holds secrets. */
  conceal?(value: NoInfer<Out>): unknown;
  /** The unit of a number whose kind doesn't imply it. */
  readonly unit?: Unit;
  /** Set where Gunicorn has no such setting. */
  readonly ours?: true;
  /** The first line is the help line; the rest stands in docs/settings.md. */
  readonly description: string;
}

/** Ties a row's default to its kind. */
export function setting<Out, In>(row: Setting<Out, In>): Setting<Out, In> {
  return row;
}

export interface Section {
  readonly title: string;
  readonly settings: Readonly<Record<string, Setting>>;
}
