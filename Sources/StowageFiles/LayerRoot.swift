// SPDX-License-Identifier: Apache-2.0
internal import Glibc
package import StowageModel
package import StowageSystem
internal import Synchronization
package import SystemPackage

/// The root directory of a layer's tree, in which untrusted names are resolved.
///
/// Names are NUL-terminated bytes relative to the root; a leading slash is ignored. Absolute symbolic links and `..` are
/// legal and stay inside (archive-and-diff 1.1). The kernel does the walk (`openat2`, `RESOLVE_IN_ROOT`, Linux 5.6);
/// where it cannot, a walk by components with `O_NOFOLLOW` does the same.
package struct LayerRoot: ~Copyable, Sendable {
  /// Whether `openat2` works here; sandboxes answer `ENOSYS` or `EPERM`. Found out at the first use.
  private static let kernelCanResolve = Atomic<Bool>(true)

  private let root: OwnedDescriptor

  /// Opens the root of a layer's tree.
  package init(_ path: FilePath) throws(StorageError) {
    root = try attempt("open", path) { () throws(Errno) in try Syscall.open(path, [.readOnly, .directory]) }
  }

  /// Takes over an open directory.
  package init(owning descriptor: consuming OwnedDescriptor) { root = descriptor }

  /// The root's descriptor, owned by this value.
  package var descriptor: CInt { root.rawValue }

  /// Opens a name inside the layer. With `.noFollow` a symbolic link at the end is not followed.
  ///
  /// - Throws: the error number of the walk or of the open; `ELOOP` after 40 symbolic links.
  package func open(
    _ name: UnsafePointer<CChar>, _ flags: OpenFlags, mode: UInt32 = 0
  ) throws(Errno) -> OwnedDescriptor {
    if Self.kernelCanResolve.load(ordering: .relaxed) {
      do throws(Errno) {
        return try Syscall.openat2(root.rawValue, name, flags, mode: mode, resolve: [.inRoot, .noMagicLinks])
      } catch {
        // A sandbox that forbids the call also forbids this harmless use of it.
        guard error == .noFunction || error == .notPermitted, !probe() else { throw error }
        Self.kernelCanResolve.store(false, ordering: .relaxed)
      }
    }
    return try openByComponents(name, flags, mode: mode)
  }

  /// Opens a name of bytes inside the layer; see the other form.
  package func open(_ name: [UInt8], _ flags: OpenFlags, mode: UInt32 = 0) throws(Errno) -> OwnedDescriptor {
    let terminated = name + [0]
    let result: Result<CInt, Errno> = terminated.withUnsafeBufferPointer { bytes in
      bytes.withMemoryRebound(to: CChar.self) { characters in
        guard let pointer = characters.baseAddress else { return .failure(.invalidArgument) }
        do throws(Errno) { return .success(try open(pointer, flags, mode: mode).release()) } catch {
          return .failure(error)
        }
      }
    }
    return OwnedDescriptor(owning: try result.get())
  }

  /// Creates a directory inside the layer with its missing parents; existing ones are left as they are.
  ///
  /// - Parameters:
  ///   - name: relative name of bytes, cleaned (no empty, `.` or `..` component); empty for the root.
  ///   - mode: permission bits of the directories created.
  ///   - whenMade: is lent each directory created.
  /// - Returns: the directory.
  /// - Throws: `ENOTDIR` if something else is there; what `whenMade` throws.
  package func makeDirectories(
    _ name: [UInt8], mode: UInt32, whenMade: (CInt) throws(Errno) -> Void = { _ in }
  ) throws(Errno) -> OwnedDescriptor {
    var current = try Syscall.openat(root.rawValue, ".", [.readOnly, .directory])
    if name.isEmpty { return current }
    do throws(Errno) { return try open(name, [.readOnly, .directory]) } catch {
      if error != .noSuchFileOrDirectory { throw error }
    }
    var start = 0
    while start <= name.count {
      let end = name[start...].firstIndex(of: 0x2f) ?? name.count
      let prefix = Array(name[..<end])
      do throws(Errno) { current = try open(prefix, [.readOnly, .directory]) } catch {
        if error != .noSuchFileOrDirectory { throw error }
        let directory = current.rawValue
        let isNew = try withName(Array(name[start..<end])) { (pointer) throws(Errno) -> Bool in
          do throws(Errno) { try Syscall.mkdirat(directory, pointer, mode: mode) } catch {
            // A dangling symbolic link is in the way, or somebody was faster.
            if error != .fileExists { throw error }
            return false
          }
          return true
        }
        current = try open(prefix, [.readOnly, .directory])
        if isNew { try whenMade(current.rawValue) }
      }
      start = end + 1
    }
    return current
  }

  private func probe() -> Bool {
    // Kernels without the call, and filters, refuse it in several ways.
    (try? Syscall.openat2(root.rawValue, ".", [.path, .directory], resolve: .inRoot)) != nil
  }

  /// The walk for kernels without `openat2`. Internal for tests.
  func openByComponents(
    _ name: UnsafePointer<CChar>, _ flags: OpenFlags, mode: UInt32 = 0
  ) throws(Errno) -> OwnedDescriptor {
    var walk = ComponentWalk(root: root.rawValue)
    return try walk.open(UnsafeRawBufferPointer(start: name, count: strlen(name)).map { $0 }, flags, mode: mode)
  }
}

/// Resolves a name component by component below a root. See ``LayerRoot``.
private struct ComponentWalk {
  /// The kernel's limit of symbolic links in one walk.
  private static let maximumLinks = 40

  private let root: CInt
  /// Open directories from below the root down to the present one.
  private var stack: [SharedDescriptor] = []
  private var links = 0
  /// Components still to be walked, the next one last.
  private var pending: [ArraySlice<UInt8>] = []

  init(root: CInt) { self.root = root }

  private var current: CInt { stack.last?.rawValue ?? root }

  mutating func open(_ name: [UInt8], _ flags: OpenFlags, mode: UInt32) throws(Errno) -> OwnedDescriptor {
    if name.isEmpty { throw .noSuchFileOrDirectory }
    pending = name.split(separator: 0x2f).reversed()
    let wantsDirectory = name.last == 0x2f
    while let component = pending.popLast() {
      if component == [0x2e] { continue }
      if component == [0x2e, 0x2e] {
        // Above the root is the root.
        stack = stack.dropLast()
        continue
      }
      if pending.isEmpty && !wantsDirectory {
        if let opened = try openLast(Array(component), flags, mode) { return opened }
      } else {
        try descend(Array(component))
      }
    }
    return try Syscall.openat(current, ".", flags.subtracting([.create, .exclusive]))
  }

  private mutating func descend(_ component: [UInt8]) throws(Errno) {
    let handle = try withName(component) { (name) throws(Errno) in
      try Syscall.openat(current, name, [.path, .noFollow]).release()
    }
    let owned = SharedDescriptor(owning: handle)
    switch try Syscall.fstat(handle).kind {
    case .directory: stack.append(owned)
    case .symbolicLink: try follow(component)
    default: throw .notDirectory
    }
  }

  /// Opens the last component; nil if it was a symbolic link that has to be followed.
  private mutating func openLast(
    _ component: [UInt8], _ flags: OpenFlags, _ mode: UInt32
  ) throws(Errno) -> OwnedDescriptor? {
    let directory = current
    let result = try withName(component) { (name) throws(Errno) -> CInt? in
      let status: FileStatus?
      do throws(Errno) { status = try Syscall.fstatat(directory, name) } catch {
        if error != .noSuchFileOrDirectory || !flags.contains(.create) { throw error }
        status = nil
      }
      let createsOnly = flags.contains(.create) && flags.contains(.exclusive)
      if status?.kind == .symbolicLink && !flags.contains(.noFollow) && !createsOnly { return nil }
      return try Syscall.openat(directory, name, flags.union(.noFollow), mode: mode).release()
    }
    if let result { return OwnedDescriptor(owning: result) }
    try follow(component)
    return nil
  }

  private mutating func follow(_ component: [UInt8]) throws(Errno) {
    links += 1
    if links > Self.maximumLinks { throw .tooManySymbolicLinkLevels }
    let directory = current
    let target = try withName(component) { (name) throws(Errno) in try Syscall.readlinkat(directory, name) }
    if target.isEmpty { throw .noSuchFileOrDirectory }
    if target.first == 0x2f { stack = [] }
    // A link that ends in a slash, or that names only "/", must lead to a directory; "." keeps that meaning.
    if target.last == 0x2f { pending.append([0x2e]) }
    pending.append(contentsOf: target.split(separator: 0x2f).reversed())
  }
}

/// Lends bytes as a NUL-terminated name, keeping the error type of `body`.
func withName<R>(_ name: [UInt8], _ body: (UnsafePointer<CChar>) throws(Errno) -> R) throws(Errno) -> R {
  let terminated = name + [0]
  let result: Result<R, Errno> = terminated.withUnsafeBufferPointer { bytes in
    bytes.withMemoryRebound(to: CChar.self) { characters in
      guard let pointer = characters.baseAddress else { return .failure(.invalidArgument) }
      do throws(Errno) { return .success(try body(pointer)) } catch { return .failure(error) }
    }
  }
  return try result.get()
}
