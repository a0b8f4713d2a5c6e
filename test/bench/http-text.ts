import { didHost } from './did-host.ts'

/** A request exactly as sent. */
export function getText(path: string): string {
  return `GET ${path} HTTP/1.1\r\nhost: ${didHost}\r\n\r\n`
}

export function postText(path: string, body: string): string {
  const headers = `host: ${didHost}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}`
  return `POST ${path} HTTP/1.1\r\n${headers}\r\n\r\n${body}`
}
