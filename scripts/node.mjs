/** Imported first by every command: one clear line on a Node that cannot run the hub. Written for old Nodes: no new syntax here. */
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  console.error('hubbub needs Node 20.19 or later; this is Node ' + process.versions.node + '. Install a newer one and run the command again.')
  process.exit(1)
}
