<?xml version="1.0" encoding="UTF-8"?>
<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- man.xsl: renders the manual's sources to man pages (roff with the man macros). -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
  <xsl:output method="text" encoding="UTF-8"/>
  <xsl:param name="version"/>

  <xsl:variable name="small" select="'abcdefghijklmnopqrstuvwxyz'"/>
  <xsl:variable name="large" select="'ABCDEFGHIJKLMNOPQRSTUVWXYZ'"/>

  <xsl:template match="modulesynopsis">
    <xsl:call-template name="head">
      <xsl:with-param name="name" select="page"/>
      <xsl:with-param name="section" select="5"/>
      <xsl:with-param name="what" select="concat('directives of ', name)"/>
    </xsl:call-template>
    <xsl:text>.SH DESCRIPTION&#10;</xsl:text>
    <xsl:apply-templates select="summary/*"/>
    <xsl:apply-templates select="section"/>
    <xsl:apply-templates select="group"/>
    <xsl:call-template name="see-also">
      <xsl:with-param name="pages" select="'\fBesignctl\fR(8), \fBapache2\fR(8)'"/>
    </xsl:call-template>
  </xsl:template>

  <xsl:template match="manualpage">
    <xsl:call-template name="head">
      <xsl:with-param name="name" select="name"/>
      <xsl:with-param name="section" select="8"/>
      <xsl:with-param name="what" select="description"/>
    </xsl:call-template>
    <xsl:text>.SH SYNOPSIS&#10;</xsl:text>
    <xsl:call-template name="line">
      <xsl:with-param name="node" select="synopsis"/>
    </xsl:call-template>
    <xsl:apply-templates select="section"/>
    <xsl:call-template name="see-also">
      <xsl:with-param name="pages" select="'\fBmod_esign.conf\fR(5)'"/>
    </xsl:call-template>
  </xsl:template>

  <xsl:template name="head">
    <xsl:param name="name"/>
    <xsl:param name="section"/>
    <xsl:param name="what"/>
    <xsl:text>'\" -*- coding: UTF-8 -*-&#10;</xsl:text>
    <xsl:text>.\" Made from the XML sources of mod_esign's manual.&#10;</xsl:text>
    <xsl:value-of select="concat('.TH ', translate($name, $small, $large), ' ', $section, ' ')"/>
    <xsl:value-of select="concat(@date, ' &quot;mod_esign ', $version, '&quot;&#10;')"/>
    <!-- Ragged lines without hyphens: names of directives stay whole. -->
    <xsl:text>.nh&#10;.ad l&#10;.SH NAME&#10;</xsl:text>
    <xsl:value-of select="concat($name, ' \- ', $what, '&#10;')"/>
  </xsl:template>

  <xsl:template name="see-also">
    <xsl:param name="pages"/>
    <xsl:value-of select="concat('.SH SEE ALSO&#10;', $pages, '&#10;')"/>
  </xsl:template>

  <xsl:template match="section">
    <xsl:value-of select="concat('.SH ', translate(title, $small, $large), '&#10;')"/>
    <xsl:apply-templates select="*[not(self::title)]"/>
  </xsl:template>

  <xsl:template match="group">
    <xsl:value-of select="concat('.SH ', translate(title, $small, $large), '&#10;')"/>
    <xsl:apply-templates select="summary/* | directivesynopsis"/>
  </xsl:template>

  <xsl:template match="directivesynopsis">
    <xsl:text>.SS </xsl:text>
    <xsl:apply-templates select="name"/>
    <xsl:text>&#10;</xsl:text>
    <xsl:call-template name="line">
      <xsl:with-param name="node" select="description"/>
    </xsl:call-template>
    <xsl:text>.PP&#10;.PD 0&#10;</xsl:text>
    <xsl:call-template name="fact">
      <xsl:with-param name="label" select="'Syntax:'"/>
      <xsl:with-param name="node" select="syntax"/>
    </xsl:call-template>
    <xsl:choose>
      <xsl:when test="default">
        <xsl:call-template name="fact">
          <xsl:with-param name="label" select="'Default:'"/>
          <xsl:with-param name="node" select="default"/>
        </xsl:call-template>
      </xsl:when>
      <xsl:otherwise>
        <xsl:text>.TP 10&#10;Default:&#10;</xsl:text>
        <xsl:value-of select="substring('none, required', 1, 4 + 10 * count(@required))"/>
        <xsl:text>&#10;</xsl:text>
      </xsl:otherwise>
    </xsl:choose>
    <xsl:if test="bounds">
      <xsl:value-of select="concat('.TP 10&#10;Bounds:&#10;', bounds/@least, ' to ', bounds/@most)"/>
      <xsl:text>&#10;</xsl:text>
    </xsl:if>
    <xsl:text>.TP 10&#10;Context:&#10;</xsl:text>
    <xsl:for-each select="contextlist/context">
      <xsl:value-of select="concat(substring(', ', 1, 2 * (position() &gt; 1)), .)"/>
    </xsl:for-each>
    <xsl:text>&#10;</xsl:text>
    <xsl:if test="override">
      <xsl:call-template name="fact">
        <xsl:with-param name="label" select="'Override:'"/>
        <xsl:with-param name="node" select="override"/>
      </xsl:call-template>
    </xsl:if>
    <xsl:value-of select="concat('.TP 10&#10;Since:&#10;mod_esign ', compatibility, '&#10;.PD&#10;')"/>
    <xsl:apply-templates select="usage/* | example"/>
  </xsl:template>

  <xsl:template match="name[../@type = 'section'] | directive[@type = 'section']" priority="1">
    <xsl:text>&lt;</xsl:text>
    <xsl:call-template name="escaped">
      <xsl:with-param name="text" select="."/>
    </xsl:call-template>
    <xsl:text>&gt;</xsl:text>
  </xsl:template>

  <xsl:template name="fact">
    <xsl:param name="label"/>
    <xsl:param name="node"/>
    <xsl:value-of select="concat('.TP 10&#10;', $label, '&#10;')"/>
    <xsl:call-template name="line">
      <xsl:with-param name="node" select="$node"/>
    </xsl:call-template>
  </xsl:template>

  <!-- Blocks -->

  <xsl:template match="p">
    <xsl:if test="preceding-sibling::*[not(self::title)] or parent::usage">.PP&#10;</xsl:if>
    <xsl:call-template name="line"/>
  </xsl:template>

  <xsl:template match="pre | example">
    <xsl:if test="preceding-sibling::*[not(self::title)]">.PP&#10;</xsl:if>
    <xsl:text>.RS 4&#10;.nf&#10;</xsl:text>
    <xsl:call-template name="lines">
      <xsl:with-param name="text" select="string(.)"/>
    </xsl:call-template>
    <xsl:text>.fi&#10;.RE&#10;</xsl:text>
  </xsl:template>

  <xsl:template match="dl">
    <xsl:apply-templates select="dt | dd"/>
  </xsl:template>

  <xsl:template match="dt">
    <xsl:text>.TP&#10;</xsl:text>
    <xsl:call-template name="line"/>
  </xsl:template>

  <xsl:template match="dd">
    <xsl:call-template name="line"/>
  </xsl:template>

  <!-- The first cell of a row becomes a tag. Where a row has more than two, each of the others says
       which column it is of. -->
  <xsl:template match="table">
    <xsl:for-each select="tr[td]">
      <xsl:text>.TP&#10;</xsl:text>
      <xsl:for-each select="td">
        <xsl:variable name="column" select="position()"/>
        <xsl:if test="$column &gt; 2">.br&#10;</xsl:if>
        <xsl:if test="$column &gt; 1 and last() &gt; 2">
          <xsl:value-of select="concat('\fI', ../../tr[1]/th[$column], ':\fP&#10;')"/>
        </xsl:if>
        <xsl:call-template name="line"/>
      </xsl:for-each>
    </xsl:for-each>
  </xsl:template>

  <!-- Inline text -->

  <xsl:template match="code | strong">
    <xsl:text>\fB</xsl:text>
    <xsl:apply-templates/>
    <xsl:text>\fR</xsl:text>
  </xsl:template>

  <xsl:template match="directive">
    <xsl:text>\fB</xsl:text>
    <xsl:call-template name="escaped">
      <xsl:with-param name="text" select="."/>
    </xsl:call-template>
    <xsl:text>\fR</xsl:text>
  </xsl:template>

  <xsl:template match="var | em">
    <xsl:text>\fI</xsl:text>
    <xsl:apply-templates/>
    <xsl:text>\fP</xsl:text>
  </xsl:template>

  <xsl:template match="text()">
    <xsl:call-template name="escaped">
      <xsl:with-param name="text" select="."/>
    </xsl:call-template>
  </xsl:template>

  <!-- A node's text as one line of input. -->
  <xsl:template name="line">
    <xsl:param name="node" select="."/>
    <xsl:variable name="text">
      <xsl:for-each select="$node">
        <xsl:apply-templates/>
      </xsl:for-each>
    </xsl:variable>
    <xsl:call-template name="safe">
      <xsl:with-param name="line" select="normalize-space($text)"/>
    </xsl:call-template>
  </xsl:template>

  <!-- The lines of preformatted text, but an empty first and last one. -->
  <xsl:template name="lines">
    <xsl:param name="text"/>
    <xsl:param name="first" select="true()"/>
    <xsl:variable name="line" select="substring-before(concat($text, '&#10;'), '&#10;')"/>
    <xsl:variable name="rest" select="substring-after($text, '&#10;')"/>
    <xsl:if test="$line != '' or (not($first) and $rest != '')">
      <xsl:variable name="escaped">
        <xsl:call-template name="escaped">
          <xsl:with-param name="text" select="$line"/>
        </xsl:call-template>
      </xsl:variable>
      <xsl:call-template name="safe">
        <xsl:with-param name="line" select="string($escaped)"/>
      </xsl:call-template>
    </xsl:if>
    <xsl:if test="$rest != ''">
      <xsl:call-template name="lines">
        <xsl:with-param name="text" select="$rest"/>
        <xsl:with-param name="first" select="false()"/>
      </xsl:call-template>
    </xsl:if>
  </xsl:template>

  <!-- A line that roff would read as a request begins with \&. -->
  <xsl:template name="safe">
    <xsl:param name="line"/>
    <xsl:if test="starts-with($line, '.') or starts-with($line, &quot;'&quot;)">\&amp;</xsl:if>
    <xsl:value-of select="concat($line, '&#10;')"/>
  </xsl:template>

  <!-- Characters that roff reads otherwise. The backslash is the first. -->
  <xsl:template name="escaped">
    <xsl:param name="text"/>
    <xsl:param name="characters" select="'\-`^~'"/>
    <xsl:variable name="one" select="substring($characters, 1, 1)"/>
    <xsl:choose>
      <xsl:when test="$one = ''">
        <xsl:value-of select="$text"/>
      </xsl:when>
      <xsl:when test="contains($text, $one)">
        <xsl:call-template name="escaped">
          <xsl:with-param name="text" select="substring-before($text, $one)"/>
          <xsl:with-param name="characters" select="substring($characters, 2)"/>
        </xsl:call-template>
        <xsl:choose>
          <xsl:when test="$one = '\'">\e</xsl:when>
          <xsl:when test="$one = '-'">\-</xsl:when>
          <xsl:when test="$one = '`'">\(ga</xsl:when>
          <xsl:when test="$one = '^'">\(ha</xsl:when>
          <xsl:otherwise>\(ti</xsl:otherwise>
        </xsl:choose>
        <xsl:call-template name="escaped">
          <xsl:with-param name="text" select="substring-after($text, $one)"/>
          <xsl:with-param name="characters" select="$characters"/>
        </xsl:call-template>
      </xsl:when>
      <xsl:otherwise>
        <xsl:call-template name="escaped">
          <xsl:with-param name="text" select="$text"/>
          <xsl:with-param name="characters" select="substring($characters, 2)"/>
        </xsl:call-template>
      </xsl:otherwise>
    </xsl:choose>
  </xsl:template>
</xsl:stylesheet>
