// SPDX-License-Identifier: Apache-2.0

import Glibc
import StowageModel
import StowageSystem
import SystemPackage

@testable import StowageOCI

/// A directory below /tmp that goes away with the object.
final class Scratch {
  let path: String

  init() {
    // Podman refuses run roots of more than 50 bytes.
    path = "/tmp/stowage-oci-\(ImageID.random().rawValue.prefix(16))"
    mkdir(path, 0o700)
  }

  deinit { _ = try? Syscall.run("rm", ["-rf", path]) }

  /// Writes a file and returns its path.
  func write(_ bytes: [UInt8], _ name: String = "archive.tar") -> String {
    let file = "\(path)/\(name)"
    let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    defer { close(descriptor) }
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count <= 0 { break }
      rest = rest.dropFirst(count)
    }
    return file
  }
}

/// What a shell command that fails throws.
struct CommandFailure: Error, CustomStringConvertible {
  let description: String
}

/// Runs a shell script; its standard output is returned.
@discardableResult
func shell(_ script: String) throws -> String {
  let output = "/tmp/stowage-oci-output-\(ImageID.random())"
  let descriptor = try Syscall.open(FilePath(output), [.writeOnly, .create, .exclusive], mode: 0o600)
  defer { try? Syscall.unlink(FilePath(output)) }
  let (status, error) = try Syscall.run("bash", ["-euc", script], output: descriptor.rawValue)
  guard status.isSuccess else {
    throw CommandFailure(description: "\(script)\n\(status)\n\(String(decoding: error, as: UTF8.self))")
  }
  return String(decoding: try Syscall.readFile(FilePath(output)), as: UTF8.self)
}

/// The path of an archive in the repository.
func fixture(_ name: String) -> String {
  let tests = #filePath.split(separator: "/").dropLast(2).joined(separator: "/")
  return "/\(tests)/Fixtures/images/\(name)"
}

/// The top of the repository.
let repository = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")

func contents(_ path: String) throws -> [UInt8] { try Syscall.readFile(FilePath(path)) }

/// Plans of an archive at a path, without a store.
func plans(_ path: String) throws(StorageError) -> [ImagePlan] {
  try ImageFormat.plans(of: try ArchiveInput.open(.path(path)))
}

/// Builds a ustar archive, also ones that no tar program would write.
struct TarBuilder {
  private(set) var bytes: [UInt8] = []

  /// Adds a member; `claimedSize` replaces the true size in the header.
  mutating func add(
    _ name: String, _ content: [UInt8] = [], kind: Character = "0", link: String = "", claimedSize: Int? = nil
  ) {
    var header = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, _ offset: Int, _ width: Int) {
      for (index, byte) in text.utf8.prefix(width).enumerated() { header[offset + index] = byte }
    }
    func octal(_ value: Int, _ offset: Int, _ width: Int) {
      let digits = String(value, radix: 8)
      put(String(repeating: "0", count: max(0, width - 1 - digits.utf8.count)) + digits, offset, width - 1)
    }
    put(name, 0, 100)
    octal(0o644, 100, 8)
    octal(0, 108, 8)
    octal(0, 116, 8)
    octal(claimedSize ?? content.count, 124, 12)
    octal(0, 136, 12)
    put("        ", 148, 8)
    put(String(kind), 156, 1)
    put(link, 157, 100)
    put("ustar\0", 257, 6)
    put("00", 263, 2)
    octal(header.reduce(0) { $0 + Int($1) }, 148, 7)
    header[155] = 0x20
    bytes += header + content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
  }

  /// Adds a text.
  mutating func add(_ name: String, text: String) { add(name, Array(text.utf8)) }

  /// The archive with its end marker.
  var finished: [UInt8] { bytes + [UInt8](repeating: 0, count: 1024) }
}
