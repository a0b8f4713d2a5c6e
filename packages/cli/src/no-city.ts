/** What was asked is not there, or is no city. Exit status 1. */
export class NoCity extends Error {}
