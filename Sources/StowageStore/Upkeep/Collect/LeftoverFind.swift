// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

/// Something that was found to be left over, and how it leaves the store.
struct LeftoverFind: Sendable {
  /// How it leaves the store.
  enum Way: Sendable {
    /// The driver takes its layer apart.
    case driver(LayerLocation)
    /// By a rename into the bin below this directory.
    case bin(FilePath)
  }

  let kind: Leftover.Kind
  let path: FilePath
  let way: Way

  init(_ kind: Leftover.Kind, _ path: FilePath, _ way: Way) {
    self.kind = kind
    self.path = path
    self.way = way
  }
}

/// Finds on their way out: moved into bins under the locks, measured and deleted after these are released.
struct LeftoverRemoval: ~Copyable {
  /// Where moved finds wait.
  private var bins = DeferredRemoval()
  private var finds: [LeftoverFind] = []
  /// What looks left over and stays.
  private var kept: [String] = []
  /// What cannot be moved away.
  private var stuck: [String] = []
  /// Whether finds are only counted.
  private let isDryRun: Bool

  init(isDryRun: Bool) { self.isDryRun = isDryRun }

  /// Moves finds into the bins. Needs the locks under which they were found.
  ///
  /// What cannot be moved until a person does something about it is told, and stays.
  ///
  /// - Throws: `system`; finds before the failing one are moved.
  mutating func take(_ more: [LeftoverFind], _ driver: any GraphDriver) throws(StorageError) {
    for find in more {
      if !isDryRun {
        do throws(StorageError) {
          switch find.way {
          case .driver(let location): try driver.remove(location, into: &bins)
          case .bin(let bin): try bins.add(find.path, bin: bin)
          }
        } catch {
          guard error.isStuck else { throw error }
          stuck.append(error.withWayOut(find.path).message)
        }
      }
      finds.append(find)
    }
  }

  /// Notes something that stays.
  mutating func keep(_ text: String) { kept.append(text) }

  /// Measures and deletes. Must come after the locks are released; a failure is reported, and the next opener tries again.
  consuming func finish() -> LeftoverReport {
    var places: [FilePath: FilePath] = [:]
    for item in bins.items { places[item.origin] = item.place }
    var meter = SpaceMeter()
    var report = LeftoverReport()
    report.kept = kept
    report.undeletable = stuck
    let finds = finds
    for find in finds {
      var bytes: Int64 = 0
      do throws(StorageError) { bytes = try meter.add(places[find.path] ?? find.path) } catch {
        Log.warning("cannot find out the size of \(find.path): \(error)")
      }
      report.leftovers.append(Leftover(kind: find.kind, path: find.path.string, bytes: bytes, isFreed: false))
    }
    do throws(StorageError) { try bins.empty() } catch { report.undeletable.append(error.message) }
    for (index, find) in finds.enumerated() {
      guard let place = places[find.path] else { continue }
      report.leftovers[index].isFreed = !Syscall.exists(place)
    }
    report.leftovers.sort { $0.path < $1.path }
    return report
  }
}
