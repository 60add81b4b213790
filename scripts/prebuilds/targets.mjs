// The published binaries, by the names that node-gyp-build uses.

export const TARGETS = [
  linux('x64', 'x86_64', 'glibc'),
  linux('x64', 'x86_64', 'musl'),
  linux('arm64', 'aarch64', 'glibc'),
  linux('arm64', 'aarch64', 'musl'),
  darwin('x64', 'x86_64'),
  darwin('arm64', 'aarch64'),
  { name: 'win32-x64', platform: 'win32', arch: 'x64', file: 'win32-x64/procshare.node' },
]

// The oldest supported C library is that of RHEL 8 and of the binaries of Node 20.
function linux(arch, machine, libc) {
  const abi = libc === 'glibc' ? 'gnu.2.28' : 'musl'
  return {
    name: `linux-${arch}-${libc}`,
    platform: 'linux',
    arch,
    libc,
    triple: `${machine}-linux-${abi}`,
    file: `linux-${arch}/procshare.${libc}.node`,
  }
}

function darwin(arch, machine) {
  return {
    name: `darwin-${arch}`,
    platform: 'darwin',
    arch,
    machine,
    file: `darwin-${arch}/procshare.node`,
  }
}
