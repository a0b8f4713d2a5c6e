/** The command was called in a way that cannot work; its message says how it can. Exit status 2. */
export class UsageError extends Error {}
