/** MODULE:EXPORT doesn't name an app: the message is one line. Exit code 4. */
export class AppImportError extends Error {
  override readonly name = "AppImportError";
}
