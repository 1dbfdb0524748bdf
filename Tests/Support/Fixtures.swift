// SPDX-License-Identifier: Apache-2.0

internal import StowageSystem
package import SystemPackage

/// The path of a file in `Tests/Fixtures`, for example `fixture("samples/l1.tar")`.
package func fixture(_ name: String) -> FilePath {
  FilePath(#filePath).removingLastComponent().removingLastComponent().appending("Fixtures").appending(
    FilePath(name).components)
}

/// A file of the checkout, named relative to its root, for example `repositoryFile("scripts/make-demo-image")`.
package func repositoryFile(_ name: String) -> FilePath {
  FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent().appending(
    FilePath(name).components)
}

/// Unpacks a sample (a `tar.zst` archive) into a directory with owners and extended attributes. Needs root.
package func unpackSample(_ name: String, into directory: FilePath) throws {
  let result = try run([
    "tar", "--zstd", "--xattrs", "--xattrs-include=*", "--numeric-owner", "-xf", fixture("samples/\(name)").string,
    "-C", directory.string,
  ])
  if !result.isSuccess { throw FixtureError(text: result.description) }
}

/// Why a fixture could not be prepared.
package struct FixtureError: Error, CustomStringConvertible {
  private let text: String
  /// Keeps the output of the tool that failed.
  package init(text: String) { self.text = text }
  /// The output of the tool that failed.
  package var description: String { text }
}

/// The command-line program under the reference's name, as which it is byte for byte the reference: a link next to it.
///
/// - Parameter hasHooks: whether `STOWAGE_FAULT` must work, which only the debug build knows.
package func stowageExecutable(hasHooks: Bool = false) throws -> FilePath {
  let link = try stowageItself(hasHooks: hasHooks).removingLastComponent().appending("containers-storage")
  do throws(Errno) {
    try Syscall.symlink(target: "stowage", at: link)
  } catch {
    // An earlier test made it.
    if error != .fileExists { throw error }
  }
  return link
}

/// The command-line program under its own name: `STOWAGE_PROGRAM`, an absolute path, or the debug build next to the test program.
package func stowageItself(hasHooks: Bool = false) throws -> FilePath {
  var program = FilePath(try Syscall.readlink("/proc/self/exe")).removingLastComponent().appending("stowage")
  if !hasHooks, let other = environmentValue("STOWAGE_PROGRAM") { program = FilePath(other) }
  guard Syscall.exists(program) else { throw FixtureError(text: "there is no \(program)") }
  return program
}
