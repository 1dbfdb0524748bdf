// SPDX-License-Identifier: Apache-2.0

package import StowageFiles
package import StowageModel
package import SystemPackage

/// Where the records of one store are, and how they are treated.
package struct RecordPlaces<Record: NamedRecord>: Sendable {
  /// Directory of the objects' own files.
  package var directory: FilePath
  /// Where files of removed objects wait for their deletion.
  package var bin: FilePath
  /// The record files in load order.
  package var files: [RecordFile<Record>]
  /// The lock files in locking order.
  package var locks: [FilePath]
  /// Their places in the order of all locks; may be more than there are files.
  package var ranks: [LockRank]
  /// How long an acquisition of the locks may wait; nil for ever.
  package var timeout: Duration?
  /// Whether records may be changed here. In a store that is not ours nothing is made: as long as it has no lock file it is
  /// read unlocked, being empty or a copy that nobody changes.
  package var isWritable: Bool
  /// Directories in which a dead writer may have left temporary files.
  package var written: [FilePath]
  /// What failures to load are wrapped in; nil for nothing.
  package var loading: String?
  /// The code for names that two objects of a store have that cannot be written.
  package var repeatedNames: StorageError.Code

  /// Describes a store.
  package init(
    directory: FilePath, bin: FilePath, files: [RecordFile<Record>], locks: [FilePath], ranks: [LockRank],
    timeout: Duration?, isWritable: Bool, written: [FilePath], loading: String? = nil,
    repeatedNames: StorageError.Code
  ) {
    self.directory = directory
    self.bin = bin
    self.files = files
    self.locks = locks
    self.ranks = ranks
    self.timeout = timeout
    self.isWritable = isWritable
    self.written = written
    self.loading = loading
    self.repeatedNames = repeatedNames
  }
}
