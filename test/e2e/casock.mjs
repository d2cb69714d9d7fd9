// SPDX-License-Identifier: ISC
//
// casock.mjs SOCKET FILE [hold|leave]: a client of the signer's socket that
// sends the bytes of FILE.  It says that this was all and prints what comes;
// with hold it keeps the line open, as if more would follow; with leave it is
// gone at once and reads nothing.
import fs from 'node:fs'
import net from 'node:net'

const [path, file, how] = process.argv.slice(2)
const bytes = fs.readFileSync(file)
const socket = net.connect({ path, allowHalfOpen: true })

socket.on('error', (e) => {
	console.error(e.message)
	process.exit(1)
})
socket.on('connect', () => {
	socket.write(bytes, () => {
		if (how === 'leave')
			process.exit(0)
		console.error('sent')
	})
	if (how === undefined)
		socket.end()
})
socket.on('data', (d) => process.stdout.write(d))
socket.on('end', () => process.exit(0))
