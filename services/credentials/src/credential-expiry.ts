/** How long a credential lasts when nothing ends it sooner, in days. Receipts are evidence and have no end. */
const lifeDays = 365

const renewalDays = 30

const dayMilliseconds = 86_400_000
const hourMilliseconds = 3_600_000

/** When a credential issued now expires; no later than what it rests on. */
export function credentialExpiry(now: Date, notAfter: Date | null = null): Date {
  const end = new Date(now.getTime() + lifeDays * dayMilliseconds)
  return notAfter !== null && notAfter < end ? notAfter : end
}

/** The hour in which a time is. */
export function toTheHour(time: Date): Date {
  return new Date(Math.floor(time.getTime() / hourMilliseconds) * hourMilliseconds)
}

/** Whether a credential ends so soon that asking for it again gives a new one. */
export function needsRenewal(expires: Date | null, now: Date): boolean {
  return expires !== null && expires.getTime() - now.getTime() < renewalDays * dayMilliseconds
}
