import { Problem } from '@tillit/problem'

const gsrnDigits = 18

/** A metering point number whose check digit is right. Made only by `parseGsrn`. */
export type Gsrn = string & { readonly gsrn: unique symbol }

/**
 * Parses a Global Service Relation Number: exactly 18 digits, the last one the GS1 check digit (GS1 General
 * Specifications, section 7.9.1). Throws Problem invalid-gsrn that says which rule is broken, without repeating the number.
 */
export function parseGsrn(text: string): Gsrn {
  if (!/^[0-9]*$/.test(text)) throw invalid('A metering point number (GSRN) holds digits only')
  if (text.length !== gsrnDigits)
    throw invalid(`A metering point number (GSRN) has ${gsrnDigits} digits; this one has ${text.length}`)
  if (text.charCodeAt(gsrnDigits - 1) - 48 !== gsrnCheckDigit(text.slice(0, -1)))
    throw invalid('The check digit of the metering point number (GSRN) is wrong')
  return text as Gsrn
}

/** The GS1 check digit (0 to 9) of the 17 digits before it: weights 3 and 1 from the right, up to the next ten. */
export function gsrnCheckDigit(first17: string): number {
  if (!/^[0-9]{17}$/.test(first17)) throw invalid('The check digit is made from 17 digits')
  let sum = 0
  for (let i = 0; i < first17.length; i++) sum += (first17.charCodeAt(i) - 48) * (i % 2 === 0 ? 3 : 1)
  return (10 - (sum % 10)) % 10
}

function invalid(detail: string): Problem {
  return new Problem('invalid-gsrn', { detail })
}
