// SPDX-License-Identifier: Apache-2.0

/// All commands.
enum CommandTable {
  /// The commands of the reference, in the order of its main help (cli 12).
  static let reference: [CommandDefinition] = [
    CheckCommand.definition,
    ConfigCommand.definition,
    ContainerCommand.definition,
    DataItemCommands.container.list,
    DataItemCommands.container.get,
    DataItemCommands.container.size,
    DataItemCommands.container.digest,
    DataItemCommands.container.set,
    DirectoryCommands.container,
    DirectoryCommands.containerRun,
    ParentOwnersCommands.container,
    ContainersCommand.definition,
    CopyCommand.definition,
    CreateStorageLayerCommand.definition,
    CreateLayerCommand.definition,
    ImportLayerCommand.definition,
    CreateImageCommand.definition,
    CreateContainerCommand.definition,
    DedupCommand.definition,
    DeleteCommand.definition,
    DeleteLayerCommand.definition,
    DeleteImageCommand.definition,
    DeleteContainerCommand.definition,
    ChangesCommand.definition,
    DiffSizeCommand.definition,
    DiffCommand.definition,
    ApplyDiffCommand.definition,
    ApplyDirectoryCommand.definition,
    ExistsCommand.definition,
    GarbageCollectCommand.definition,
    ImageCommand.definition,
    DataItemCommands.image.list,
    DataItemCommands.image.get,
    DataItemCommands.image.size,
    DataItemCommands.image.digest,
    DataItemCommands.image.set,
    DirectoryCommands.image,
    DirectoryCommands.imageRun,
    ImagesCommand.definition,
    ImagesByDigestCommand.definition,
    LayerCommand.definition,
    ParentOwnersCommands.layer,
    DataItemCommands.layer.list,
    DataItemCommands.layer.get,
    DataItemCommands.layer.set,
    LayersCommand.definition,
    StorageLayersCommand.definition,
    MetadataCommand.definition,
    SetMetadataCommand.definition,
    MountCommand.definition,
    UnmountCommand.definition,
    MountedCommand.definition,
    NamesCommands.get,
    NamesCommands.add,
    NamesCommands.remove,
    NamesCommands.set,
    ShutdownCommand.definition,
    StatusCommand.definition,
    UnshareCommand.definition,
    VersionCommand.definition,
    WipeCommand.definition,
  ]

  /// Commands that the reference does not have; they work under its name, too, but its help does not show them.
  static let additional: [CommandDefinition] = [
    CompletionCommand.definition,
    LoadCommand.definition,
    ManualCommand.definition,
    RelocateCommand.definition,
    RelocateRootCommand.definition,
    StoresCommand.definition,
  ]

  /// Commands of `stowage` only. One with the name of a command above takes its place there.
  static let everyday: [CommandDefinition] = [
    ListImagesCommand.definition,
    ListContainersCommand.definition,
    InspectCommand.definition,
    HistoryCommand.definition,
    TreeCommand.definition,
    CreateCommand.definition,
    CommitCommand.commit,
    CommitCommand.import,
    ExportCommand.definition,
    TagCommands.tag,
    TagCommands.untag,
    RemoveCommand.definition,
    DiskUsageCommand.definition,
    PruneCommand.definition,
    SaveCommand.definition,
    InfoCommand.definition,
    NamesCommands.everydayAdd,
    NamesCommands.everydayRemove,
    NamesCommands.everydaySet,
    MetadataCommand.everyday,
    CreateImageCommand.everyday,
    UnmountCommand.everyday,
    HelpCommand.definition,
    VersionCommand.everyday,
  ]

  /// All commands that there are under a name of the program.
  static func commands(of face: Face) -> [CommandDefinition] {
    switch face {
    case .reference: return reference + additional
    case .stowage:
      let taken = Set(everyday.flatMap(\.names))
      return everyday + (reference + additional).filter { !taken.contains($0.names[0]) }
    }
  }

  /// The command with that name or alias; exact, case-sensitive.
  static func command(named word: String, of face: Face) -> CommandDefinition? {
    (commands(of: face) + [CompleteNamesCommand.definition]).first { $0.names.contains(word) }
  }
}
