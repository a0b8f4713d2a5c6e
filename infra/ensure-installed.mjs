// Runs before every npm script of ours, on whatever Node the machine has (20 or newer), with nothing installed: installs
// what the lock file names when that is not what stands in node_modules.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const oldestNodeMajor = 20

const major = Number(process.versions.node.split('.')[0])
if (major < oldestNodeMajor)
  fail(`Node ${oldestNodeMajor} or newer is needed to install; this is ${process.versions.node}.`)

const reason = whyInstall()
if (reason !== null) {
  console.error(`Installing what is missing (${reason}). This takes about a minute.`)
  const npm = process.env.npm_execpath
  const [command, ...args] = npm === undefined ? ['npm'] : [process.execPath, npm]
  const result = spawnSync(command, [...args, 'ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  })
  if (result.error !== undefined) fail(`npm could not be started: ${result.error.message}`)
  if (result.status !== 0) fail('npm ci failed; what it said stands above. Is the npm registry within reach?')
  const still = whyInstall()
  if (still !== null) fail(`After npm ci something is still missing: ${still}`)
}

/** Null when everything that the lock file wants on this platform is there in the version it says. */
function whyInstall() {
  const installedFile = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(installedFile)) return 'nothing is installed yet'
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
  const installed = JSON.parse(readFileSync(installedFile, 'utf8')).packages
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '' || !path.startsWith('node_modules/') || entry.link || entry.extraneous) continue
    const found = installed[path]
    if (found === undefined) {
      if (entry.optional || entry.devOptional) continue
      return `${path.slice('node_modules/'.length)} is missing`
    }
    if (found.version !== entry.version)
      return `${path.slice('node_modules/'.length)} is ${found.version}, not ${entry.version}`
  }
  // The pinned Node comes in through an install script, which some configurations leave out.
  if (!existsSync(join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')))
    return 'the pinned Node is missing'
  return null
}

function fail(message) {
  console.error(message)
  process.exit(1)
}
