// SPDX-License-Identifier: Apache-2.0
internal import Glibc
package import SystemPackage

/// The record of all changing calls and flushes of a debug build, in their order, for the checks of what is on disk when.
///
/// The environment variable `STOWAGE_TRACE` of the process names the file, to which a line is appended after each call that
/// succeeded: the call and its paths, separated by tabs. A rename onto a record file is followed by its content before and
/// after. Release builds compile all of this out.
package enum SystemTrace {
  #if STOWAGE_HOOKS
    private static let file: CInt? = environmentValue("STOWAGE_TRACE").flatMap { path in
      let descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
      return descriptor < 0 ? nil : descriptor
    }

    /// Whether anything is recorded.
    package static var isOn: Bool { file != nil }

    /// A call on a host path.
    package static func done(_ call: String, _ path: @autoclosure () -> FilePath) {
      if isOn { append([call, path().string]) }
    }

    /// A call on a name in an open directory.
    package static func done(_ call: String, _ directory: CInt, _ name: UnsafePointer<CChar>) {
      if isOn { append([call, place(directory, name)]) }
    }

    /// A call on an open file.
    package static func done(_ call: String, _ descriptor: CInt) {
      if isOn { append([call, path(of: descriptor)]) }
    }

    /// A link, with what it leads to.
    package static func linked(_ target: String, at path: @autoclosure () -> FilePath) {
      if isOn { append(["symlink", path().string, target]) }
    }

    /// A rename relative to open directories.
    package static func renamed(
      _ oldDirectory: CInt, _ old: UnsafePointer<CChar>, _ newDirectory: CInt, _ new: UnsafePointer<CChar>
    ) {
      if isOn { append(["rename", place(oldDirectory, old), place(newDirectory, new)]) }
    }

    /// What a record file says; nil for other files, and where nothing is recorded.
    package static func recordContent(_ path: @autoclosure () -> FilePath) -> String? {
      guard isOn, path().extension == "json" else { return nil }
      // A missing file says nothing.
      let bytes = (try? Syscall.readFile(path())) ?? []
      return String(decoding: bytes.filter { $0 != 0x0a && $0 != 0x09 }, as: UTF8.self)
    }

    /// A rename of host paths; `before` is what the target said.
    package static func renamed(_ old: FilePath, _ new: FilePath, before: String?) {
      if isOn { append(["rename", old.string, new.string] + (before.map { [$0, recordContent(new) ?? ""] } ?? [])) }
    }

    private static func append(_ fields: [String]) {
      guard let file else { return }
      var line = fields.joined(separator: "\t") + "\n"
      _ = line.withUTF8 { Glibc.write(file, $0.baseAddress, $0.count) }
    }

    private static func path(of descriptor: CInt) -> String {
      // A descriptor has a path in /proc as long as it is open.
      let target = (try? Syscall.readlink(FilePath("/proc/self/fd/\(descriptor)"))) ?? []
      return String(decoding: target, as: UTF8.self)
    }

    private static func place(_ directory: CInt, _ name: UnsafePointer<CChar>) -> String {
      let text = String(cString: name)
      return text.hasPrefix("/") || directory == AT_FDCWD ? text : path(of: directory) + "/" + text
    }
  #else
    @inlinable @inline(__always)
    package static func done(_ call: StaticString, _ path: @autoclosure () -> FilePath) {}
    @inlinable @inline(__always)
    package static func done(_ call: StaticString, _ directory: CInt, _ name: UnsafePointer<CChar>) {}
    @inlinable @inline(__always)
    package static func done(_ call: StaticString, _ descriptor: CInt) {}
    @inlinable @inline(__always)
    package static func linked(_ target: @autoclosure () -> String, at path: @autoclosure () -> FilePath) {}
    @inlinable @inline(__always)
    package static func renamed(
      _ oldDirectory: CInt, _ old: UnsafePointer<CChar>, _ newDirectory: CInt, _ new: UnsafePointer<CChar>
    ) {}
    @inlinable @inline(__always)
    package static func recordContent(_ path: @autoclosure () -> FilePath) -> String? { nil }
    @inlinable @inline(__always)
    package static func renamed(_ old: FilePath, _ new: FilePath, before: String?) {}
  #endif
}
