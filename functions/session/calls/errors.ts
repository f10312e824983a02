/** Thrown for a call on a context that the record does not have, or has no more: another client may want it. */
export class NotOurs extends Error {
  override readonly name = "NotOurs";
}

/** Another client of the context has the call: it is not ours to say a word on. */
export class Taken extends Error {
  override readonly name = "Taken";

  constructor() {
    super("another client took the call");
  }
}
