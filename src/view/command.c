#include "view/command.h"

#include <string.h>

#include "base/i18n.h"

const char *
view_argument_name(ViewArgument argument)
{
	switch (argument) {
	case VIEW_ARG_NONE:
		break;
	case VIEW_ARG_FOLDER:
		return _("FOLDER");
	case VIEW_ARG_FILE:
		return _("FILE");
	case VIEW_ARG_PATTERN:
		return _("PATTERN");
	case VIEW_ARG_KEYWORDS:
		return _("KEYWORDS");
	case VIEW_ARG_NAME:
	case VIEW_ARG_COMMAND:
		return _("NAME");
	case VIEW_ARG_OPTION:
		return _("OPTION");
	}
	return NULL;
}

static const struct {
	ViewPlace place;
	const char *word;
} words[] = {
	{ VIEW_PLACE_FOLDERS, "folders" }, { VIEW_PLACE_LIST, "list" },
	{ VIEW_PLACE_MESSAGE, "message" }, { VIEW_PLACE_PARTS, "parts" },
	{ VIEW_PLACE_HELP, "help" },	   { VIEW_PLACE_QUEUE, "queue" },
};

const char *
view_place_word(ViewPlace place)
{
	for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
		if (words[i].place == place)
			return words[i].word;
	return "";
}

ViewPlace
view_place_of_word(const char *word)
{
	for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
		if (!strcmp(words[i].word, word))
			return words[i].place;
	return 0;
}

const char *
view_place_title(ViewPlace place)
{
	switch (place) {
	case VIEW_PLACE_FOLDERS:
		return _("Folders");
	case VIEW_PLACE_LIST:
		return _("Message list");
	case VIEW_PLACE_MESSAGE:
		return _("Message");
	case VIEW_PLACE_PARTS:
		return _("Parts of the message");
	case VIEW_PLACE_HELP:
		return _("Help");
	case VIEW_PLACE_QUEUE:
		return _("Waiting changes");
	}
	return "";
}
