/**
 * The DID in a path element. DIDs may hold percent-encodings of their own (`localhost%3A8080`); clients write them into
 * paths both as they are and encoded once more, and what is meant can be told apart. Throws nothing: parsing comes later.
 */
export function didOfPath(url: string, position: number): string {
  const [path = ''] = url.split('?')
  const element = path.split('/')[position] ?? ''
  if (element.startsWith('did:') && !element.includes('%25')) return element
  try {
    return decodeURIComponent(element)
  } catch {
    // Not an encoding at all, so no DID either; the parser says so.
    return element
  }
}
