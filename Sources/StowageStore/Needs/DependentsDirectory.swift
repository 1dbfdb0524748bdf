// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
internal import StowageModel
internal import StowageSystem
internal import SystemPackage

/// The registrations of all graph roots that use the layers of one store.
///
/// Reading needs that store's layer lock, writing needs it exclusively.
struct DependentsDirectory: Hashable, Sendable {
  /// `<data>/dependents.d`. Other implementations leave it alone: it is neither an identifier nor a tar-split file.
  let path: FilePath

  /// The directory beside a store's layer records.
  init(data: LayerDirectory) { path = data.dependents }

  /// Where a graph root's registration is.
  func file(_ id: String) -> FilePath { path.appending("\(id).json") }

  /// Writes a registration, durably: old or new after a crash.
  func publish(_ registration: Registration) throws(StorageError) {
    try AtomicFile.replace(file(registration.id), contents: registration.encoded(), mode: 0o644, durability: .full)
  }

  /// Removes a registration, durably; a missing one is fine.
  func withdraw(_ id: String) throws(StorageError) {
    do throws(Errno) { try Syscall.unlink(file(id)) } catch .noSuchFileOrDirectory { return } catch {
      throw .failed("unlink", file(id), error)
    }
    // Others may be registered, too; then the directory stays.
    let isLast = (try? Syscall.rmdir(path)) != nil
    try AtomicFile.syncDirectory(isLast ? path.removingLastComponent() : path)
  }

  /// One graph root's registration.
  ///
  /// - Throws: `corrupt` if the file cannot be understood.
  func registration(_ id: String) throws(StorageError) -> Registration? { try read(file(id)) }

  /// All registrations but one's own, ordered by file name.
  ///
  /// - Throws: `corrupt` if a file cannot be understood: whom it protects is unknown then.
  func registrations(except own: String?) throws(StorageError) -> [Registration] {
    let names: [[UInt8]]
    do throws(Errno) { names = try Syscall.directoryNames(path) } catch .noSuchFileOrDirectory { return [] } catch {
      throw .failed("read", path, error)
    }
    var found: [Registration] = []
    for name in names.map({ String(decoding: $0, as: UTF8.self) }).sorted() where name.hasSuffix(".json") {
      if name.hasPrefix(".") || name.dropLast(5) == own ?? "" { continue }
      if let registration = try read(path.appending(FilePath(name).components)) { found.append(registration) }
    }
    return found
  }

  private func read(_ path: FilePath) throws(StorageError) -> Registration? {
    let bytes: [UInt8]
    do throws(StorageError) { bytes = try StoreFile.read(path) } catch {
      if error.errno == .noSuchFileOrDirectory { return nil }
      throw error
    }
    if let registration = Registration(bytes), file(registration.id) == path { return registration }
    throw StorageError(
      .corrupt,
      "\(path) is damaged: it tells which layers another graph root needs; repair it by any change in that graph root, or "
        + "remove it if that is gone for good", path: path.string)
  }
}
