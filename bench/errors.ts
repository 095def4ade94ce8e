/** What the person who runs the bench can do something about: shown as one line, without a stack. */
export class BenchError extends Error {
  override readonly name = "BenchError";
}
