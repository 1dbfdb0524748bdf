// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
internal import StowageModel
internal import StowageSystem
internal import SystemPackage

/// The space that files take, by what they belong to, counted as `du` does: allocated blocks, a file with several names once,
/// what reflinks share as if it were not shared.
struct SpaceWalk: Sendable {
  /// Bytes of files.
  struct Amount: Sendable {
    /// Allocated bytes.
    var bytes: Int64 = 0
    /// Those of them in blocks that other files have, too.
    var inSharedBlocks: Int64 = 0

    static func += (sum: inout Amount, other: Amount) {
      sum.bytes += other.bytes
      sum.inSharedBlocks += other.inSharedBlocks
    }
  }

  /// Files whose names belong to the same owners, several of them, or are not all here.
  struct LinkedFiles: Sendable {
    /// Whose names they have: positions in ``SpaceOwners/all``, each once, the first found first.
    let owners: [Int]
    /// Whether they have names elsewhere, so that their space stays whatever goes here.
    let areHeldElsewhere: Bool
    let amount: Amount
  }

  /// A file with several names.
  private struct File: Sendable {
    let amount: Amount
    var owners: [Int]
    /// How many of its names were found, and how many it has.
    var (found, links): (UInt64, UInt64)
  }

  private struct Sharing: Hashable {
    let owners: [Int]
    let areHeldElsewhere: Bool
  }

  private struct Identity: Hashable {
    let device: UInt64
    let inode: UInt64
  }

  private let owners: SpaceOwners
  /// By position of the owner in ``SpaceOwners/all``, without ``linked``.
  private(set) var amounts: [Amount]
  /// Files that belong to several owners or have names elsewhere; complete after ``finish()``.
  private(set) var linked: [LinkedFiles] = []
  /// Whether a root is on a file system that shares blocks, so that ``Amount/inSharedBlocks`` says something.
  private(set) var knowsSharedBlocks = false
  private var files: [Identity: File] = [:]

  init(_ owners: SpaceOwners) {
    self.owners = owners
    amounts = Array(repeating: Amount(), count: owners.all.count)
  }

  /// Adds a root with all that is in it. Symbolic links are not followed, but for the root itself; another file system mounted
  /// inside is left out. Needs no lock: what vanishes meanwhile is not counted.
  ///
  /// - Returns: the bytes that this root adds.
  /// - Throws: `system` if something cannot be looked at.
  mutating func add(_ root: FilePath) throws(StorageError) -> Int64 {
    let status: FileStatus
    do throws(Errno) { status = try Syscall.stat(root) } catch .noSuchFileOrDirectory { return 0 } catch {
      throw .failed("stat", root, error)
    }
    // A file system that does not tell what it is does not tell of shared blocks, either.
    let system = try? Syscall.statfs(root)
    let sharesBlocks =
      system.map { BackingFileSystem(magic: UInt32(truncatingIfNeeded: $0.magic)).sharesBlocks } ?? false
    if sharesBlocks { knowsSharedBlocks = true }
    var total = count(status, 0, for: 0)
    // One element for each directory the walk is in: its device, its owner, and the owners stated in it.
    var levels = [(device: status.device, owner: 0, named: owners.owners(in: root))]
    let (owners, nearest) = (owners, owners.depth - root.components.count)
    try walkTree(at: root) { (entry) throws(StorageError) in
      // Directories that vanish before they are entered are visited and never left.
      levels.removeLast(max(0, levels.count - 1 - entry.path.count(where: { $0 == 0x2f })))
      guard let level = levels.last else { return .skip }
      if entry.isOtherFileSystem(than: level.device) { return .skip }
      let owner = level.named?[ByteText(String(cString: entry.name))] ?? level.owner
      total += count(entry.status, sharesBlocks ? sharedBytes(entry) : 0, for: owner)
      guard entry.status.isDirectory else { return .skip }
      let isNear = levels.count <= nearest
      let path = isNear ? root.pushing(FilePath(String(decoding: entry.path, as: UTF8.self))) : root
      levels.append((entry.status.device, owner, isNear ? owners.owners(in: path) : nil))
      return .enter
    }
    return total
  }

  /// Settles files with several names.
  mutating func finish() {
    var shared: [Sharing: Amount] = [:]
    for file in files.values {
      let sharing = Sharing(owners: file.owners, areHeldElsewhere: file.found < file.links)
      if sharing.owners.count == 1, !sharing.areHeldElsewhere, let owner = sharing.owners.first {
        amounts[owner] += file.amount
      } else {
        shared[sharing, default: Amount()] += file.amount
      }
    }
    linked = shared.map { LinkedFiles(owners: $0.owners, areHeldElsewhere: $0.areHeldElsewhere, amount: $1) }
    files = [:]
  }

  /// What of a file is in blocks that other files have, too; 0 for what cannot be asked.
  private func sharedBytes(_ entry: borrowing TreeEntry) -> Int64 {
    guard entry.status.kind == .regular, entry.status.blocks > 0 else { return 0 }
    // A file that is gone, or of another kind by now, has nothing to tell.
    guard
      let file = try? Syscall.openat(entry.directory, entry.name, [.readOnly, .noFollow, .nonBlocking]),
      let bytes = try? Syscall.sharedBytes(of: file.rawValue)
    else { return 0 }
    return Int64(clamping: bytes)
  }

  /// - Returns: what the file adds to the sum.
  private mutating func count(_ status: FileStatus, _ inSharedBlocks: Int64, for owner: Int) -> Int64 {
    let space = status.blocks * 512
    // Extents may be longer than what is allocated of them, where data are compressed.
    let amount = Amount(bytes: space, inSharedBlocks: min(space, inSharedBlocks))
    if status.isDirectory || status.linkCount < 2 {
      amounts[owner] += amount
      return space
    }
    let identity = Identity(device: status.device, inode: status.inode)
    guard var file = files.removeValue(forKey: identity) else {
      files[identity] = File(amount: amount, owners: [owner], found: 1, links: status.linkCount)
      return space
    }
    file.found += 1
    if !file.owners.contains(owner) { file.owners.append(owner) }
    files[identity] = file
    return 0
  }
}
